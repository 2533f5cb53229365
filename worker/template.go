package worker

import (
	"fmt"
	"strings"
	"text/template"
)

// text is a string of a recipe, a template only where it looks like one: almost
// none do, and each is rendered for each start.
type text struct {
	what   string
	source string
	parsed *template.Template
}

// data is what templates see. The maps leave out what a listener does not have,
// so that asking for the descriptor of a per-slot listener is an error and not 0.
type data struct {
	WorkerID, Slot, Workers int
	Generation              uint64
	Pool                    string
	FD, Port, Addr          map[string]any
}

func newData(f Facts) data {
	d := data{
		WorkerID: f.WorkerID, Slot: f.Slot, Workers: f.Workers, Generation: f.Generation, Pool: f.Pool,
		FD: map[string]any{}, Port: map[string]any{}, Addr: map[string]any{},
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

func parseText(what, source string) (text, error) {
	t := text{what: what, source: source}
	if strings.ContainsRune(source, 0) {
		return t, fmt.Errorf("%s contains a NUL byte", what)
	}
	if !strings.Contains(source, "{{") {
		return t, nil
	}
	var err error
	// The built-in index gives a silent zero for a missing key, whatever
	// missingkey says; it is the only way to a name with a dash in it.
	funcs := template.FuncMap{"index": func(m map[string]any, key string) (any, error) {
		if v, ok := m[key]; ok {
			return v, nil
		}
		return nil, fmt.Errorf("there is no %q", key)
	}}
	t.parsed, err = template.New(what).Funcs(funcs).Option("missingkey=error").Parse(source)
	if err != nil {
		return t, fmt.Errorf("cannot read %s %q: %w", what, source, err)
	}
	return t, nil
}

func (t text) render(d data) (string, error) {
	if t.parsed == nil {
		return t.source, nil
	}
	var b strings.Builder
	if err := t.parsed.Execute(&b, d); err != nil {
		return "", fmt.Errorf("cannot fill in %s %q: %w", t.what, t.source, err)
	}
	return b.String(), nil
}
