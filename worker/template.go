package worker

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
)

// maxText bounds a template and what becomes of it: the kernel takes no longer
// argument or variable (MAX_ARG_STRLEN of execve(2)).
const maxText = 128 << 10

var errTooLong = fmt.Errorf("it is longer than %d bytes", maxText)

// text is a string of a recipe, a template only where it looks like one: almost
// none do, and each is rendered for each start.
type text struct {
	at     FieldError // without a cause
	source string
	parsed *template.Template
}

// data is what templates see. The maps leave out what a listener does not have,
// so that asking for the descriptor of a per-slot listener is an error and not 0.
type data struct {
	WorkerID, Slot, Workers int
	Generation, Fence       uint64
	Pool                    string
	FD, Port, Addr          names
}

// names are the listeners of one kind, by name.
type names map[string]any

func newData(f Facts) data {
	d := data{
		WorkerID: f.WorkerID, Slot: f.Slot, Workers: f.Workers, Generation: f.Generation, Fence: f.Fence, Pool: f.Pool,
		FD: names{}, Port: names{}, Addr: names{},
	}
	for _, l := range f.Listeners {
		if l.FD >= 0 {
			d.FD[l.Name] = l.FD
		}
		if l.Port > 0 {
			d.Port[l.Name] = l.Port
		}
		d.Addr[l.Name] = l.Addr
	}
	return d
}

// values are the fields of data.
func values() []string {
	return []string{"Addr", "FD", "Fence", "Generation", "Pool", "Port", "Slot", "WorkerID", "Workers"}
}

// find is what a template's name leads to: a value, or a listener's.
func (d data) find(path []string) error {
	if len(path) == 0 {
		return nil
	}
	var of names
	what := "listener"
	switch path[0] {
	case "FD":
		of, what = d.FD, "listener with a descriptor"
	case "Port":
		of, what = d.Port, "listener with a port"
	case "Addr":
		of = d.Addr
	default:
		if !slices.Contains(values(), path[0]) {
			return &UnknownNameError{What: "value", Name: path[0], Known: values()}
		}
	}
	if of == nil || len(path) == 1 {
		return nil
	}
	return of.has(what, path[1])
}

func (n names) has(what, name string) error {
	if _, ok := n[name]; ok {
		return nil
	}
	return &UnknownNameError{What: what, Name: name, Known: slices.Sorted(maps.Keys(n))}
}

// parseText reads a template. Names are looked up later, by check.
func parseText(at FieldError, source string) (text, error) {
	t := text{at: at, source: source}
	switch {
	case strings.ContainsRune(source, 0):
		return t, at.with(errors.New("it contains a NUL byte"))
	case !strings.Contains(source, "{{"):
		return t, nil
	case len(source) > maxText:
		return t, at.with(errTooLong)
	}
	// Functions are checked by check, which knows their names for a suggestion.
	tree := parse.New("template")
	tree.Mode = parse.SkipFuncCheck
	set := map[string]*parse.Tree{}
	if _, err := tree.Parse(source, "", "", set); err != nil {
		return t, at.with(errors.New(strings.TrimPrefix(err.Error(), "template: template:1: ")))
	}
	if len(set) > 1 {
		return t, at.with(forbidden("define"))
	}
	var err error
	t.parsed, err = template.New("template").Funcs(functions()).Option("missingkey=error").AddParseTree("template", tree)
	if err != nil {
		return t, at.with(err)
	}
	return t, nil
}

// check finds every name of the template that leads nowhere, also in branches that
// this worker does not take, and what would make its run time or size unbounded.
func (t text) check(d data) []error {
	if t.parsed == nil {
		return nil
	}
	var errs []error
	walk(t.parsed.Root, func(n parse.Node) {
		if err := checkNode(n, d); err != nil {
			errs = append(errs, t.at.with(err))
		}
	})
	return errs
}

func (t text) render(d data) (string, error) {
	if t.parsed == nil {
		return t.source, nil
	}
	var b bounded
	if err := t.parsed.Execute(&b, d); err != nil {
		return "", t.at.with(plain(err))
	}
	return b.text.String(), nil
}

// plain leaves out where in the template it happened when the cause says enough.
func plain(err error) error {
	var unknown *UnknownNameError
	switch {
	case errors.As(err, &unknown):
		return unknown
	case errors.Is(err, errTooLong):
		return errTooLong
	}
	if _, text, ok := strings.Cut(err.Error(), `executing "template" `); ok {
		return errors.New(text)
	}
	return err
}

// bounded collects what a template writes.
type bounded struct{ text strings.Builder }

func (b *bounded) Write(p []byte) (int, error) {
	if b.text.Len()+len(p) > maxText {
		return 0, errTooLong
	}
	return b.text.Write(p)
}
