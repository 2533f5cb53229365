package inspect

import (
	"slices"
	"strings"
)

// Variable is one of a worker's environment.
type Variable struct {
	Name   string
	Value  string // empty if it is hidden
	Hidden bool
}

// Secrets says whose values must not be seen beside those that look like secrets.
type Secrets struct {
	Names []string // of the variables that came from credentials
	// Unknown says that nobody told which these are. Then only values are shown that cannot be secrets.
	Unknown bool
}

func (root proc) environ(pid int, secrets Secrets) ([]Variable, error) {
	text, err := root.read(pid, "environ")
	if err != nil {
		return nil, err
	}
	return parseEnviron(text, secrets), nil
}

// parseEnviron reads NAME=VALUE, each ended by a zero byte, and hides what has to be hidden. It is what the process was
// started with.
func parseEnviron(text []byte, secrets Secrets) []Variable {
	var all []Variable
	for kv := range strings.SplitSeq(string(text), "\x00") {
		name, value, ok := strings.Cut(kv, "=")
		if !ok {
			continue // the rest of what a process has written over
		}
		v := Variable{Name: name, Value: value}
		if secrets.hide(name, value) {
			v.Value, v.Hidden = "", true
		}
		all = append(all, v)
	}
	slices.SortStableFunc(all, func(a, b Variable) int { return strings.Compare(a.Name, b.Name) })
	return all
}
