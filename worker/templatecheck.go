package worker

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
)

// functions are those that templates may call, all of them bounded in time and
// size. Of the usual ones html, js and urlquery are missing, which can make a text
// longer without end, and call, which has nothing to call. nil stands for the
// package's own.
func functions() template.FuncMap {
	return template.FuncMap{
		// The built-in index gives a silent zero for a missing key, whatever
		// missingkey says; it is the only way to a name with a dash in it.
		"index": func(n names, name string) (any, error) { return n[name], n.has("listener", name) },
		"printf": func(format string, args ...any) (string, error) {
			if err := checkFormat(format, args); err != nil {
				return "", err
			}
			return fmt.Sprintf(format, args...), nil
		},
		"print": func(args ...any) (string, error) {
			if err := checkFormat("", args); err != nil {
				return "", err
			}
			return fmt.Sprint(args...), nil
		},
	}
}

// builtin are the package's own functions that may be called.
func builtin() []string {
	return []string{"and", "eq", "ge", "gt", "le", "len", "lt", "ne", "not", "or", "slice"}
}

// checkFormat refuses a result that could be too long before it is made. No verb
// makes more of a byte than %#x does: "0x41, ".
func checkFormat(format string, args []any) error {
	const width, perByte, perValue = 999, 6, 64
	digits, verbs, within := 0, len(args), false
	for _, c := range format {
		switch {
		case !within:
			if within = c == '%'; within {
				digits, verbs = 0, verbs+1
			}
		case c == '*':
			return fmt.Errorf("%q takes its width from an argument", format)
		case c >= '0' && c <= '9':
			if digits++; digits > len("999") {
				return fmt.Errorf("%q has a width of more than %d", format, width)
			}
		case strings.ContainsRune("+-# .[]", c):
			digits = 0
		default:
			within = false
		}
	}
	longest := perValue
	for _, a := range args {
		longest = max(longest, perByte*sizeOf(a))
	}
	if len(format)+verbs*(longest+width) > maxText*perByte {
		return errTooLong
	}
	return nil
}

func sizeOf(a any) int {
	switch a := a.(type) {
	case string:
		return len(a)
	case names:
		size := 0
		for name := range a {
			size += len(name) + len(fmt.Sprint(a[name]))
		}
		return size
	}
	return 1
}

func forbidden(what string) error {
	return fmt.Errorf("{{%s}} is not for templates of commands, only values, functions, variables and {{if}}", what)
}

// checkNode judges one node by itself.
func checkNode(n parse.Node, d data) error {
	switch n := n.(type) {
	case *parse.FieldNode:
		return d.find(n.Ident)
	case *parse.VariableNode:
		if n.Ident[0] == "$" {
			return d.find(n.Ident[1:])
		}
	case *parse.IdentifierNode:
		own := functions()
		if _, ok := own[n.Ident]; !ok && !slices.Contains(builtin(), n.Ident) {
			return &UnknownNameError{What: "function", Name: n.Ident, Known: slices.Sorted(slices.Values(append(builtin(), slices.Collect(maps.Keys(own))...)))}
		}
	case *parse.RangeNode, *parse.WithNode, *parse.TemplateNode:
		word, _, _ := strings.Cut(strings.TrimPrefix(n.String(), "{{"), " ")
		return forbidden(word)
	}
	return nil
}

// walk visits the nodes in their order. Inside of what checkNode forbids a dot is
// something else, so that it does not look there.
func walk(n parse.Node, visit func(parse.Node)) {
	visit(n)
	switch n := n.(type) {
	case *parse.ListNode:
		walkAll(n.Nodes, visit)
	case *parse.ActionNode:
		walk(n.Pipe, visit)
	case *parse.IfNode:
		walk(n.Pipe, visit)
		walk(n.List, visit)
		if n.ElseList != nil {
			walk(n.ElseList, visit)
		}
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			walk(c, visit)
		}
	case *parse.CommandNode:
		walkAll(n.Args, visit)
	case *parse.ChainNode:
		walk(n.Node, visit)
	}
}

func walkAll(list []parse.Node, visit func(parse.Node)) {
	for _, n := range list {
		walk(n, visit)
	}
}
