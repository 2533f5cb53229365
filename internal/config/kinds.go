package config

import (
	"reflect"
	"slices"
	"strings"
)

// is reports whether a value has the type that its key wants, and what is wrong if it has not.
func (d *decoder) is(want kind, n *node, key string, t reflect.Type) bool {
	if n.kind == want {
		return true
	}
	words := want.String()
	if t.Kind() == reflect.Slice {
		words = "an array of strings"
	}
	d.bad(n.at, key, kindHint(want, n, key), "%s is %s, not %s", last(key), words, n.kind)
	return false
}

// kindHint says how the value would have to be written.
func kindHint(want kind, n *node, key string) string {
	_, isEnv := strings.CutSuffix(parent(key), ".env")
	switch {
	case isEnv && want == aString && slices.Contains(fields(reflect.TypeFor[PoolTable]()), last(key)):
		table := parent(parent(key))
		return "keys of [" + table + "] stand above [" + table + ".env]"
	case want == anArray && n.kind == aString:
		return "write " + arrayOf(n.text, last(key))
	case want == aString && strings.HasPrefix(n.text, "0o"):
		return "write it in quotes: " + quote("0"+n.text[2:])
	case want == aString && (n.kind == anInteger || n.kind == aFloat || n.kind == aBoolean || n.kind == aDate):
		return "write it in quotes: " + quote(n.text)
	case want == anInteger && n.kind == aString && digits(n.text):
		return "write it without quotes: " + n.text
	case want == aTable && n.kind == anArray && len(n.items) > 0 && n.items[0].kind == aTable && !strings.Contains(key, "."):
		return "write [" + key + ".NAME]"
	case want == aTable && n.kind == anArray && len(n.items) > 0 && n.items[0].kind == aTable:
		return "write [" + key + "] with single brackets"
	}
	return ""
}

// arrayOf is the array that somebody meant by a string. Only a command is cut into words, and only where no quotes of a
// shell could tell otherwise.
func arrayOf(text, key string) string {
	words := []string{text}
	switch {
	case key == "command" && !strings.ContainsAny(text, `'"\$&|;<>*`):
		words = strings.Fields(text)
	case key == "command":
		words = []string{"sh", "-c", text}
	}
	for i, word := range words {
		words[i] = quote(word)
	}
	return "[" + strings.Join(words, ", ") + "]"
}
