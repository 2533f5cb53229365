package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"

	"github.com/broodctl/brood/internal/redact"
)

// Document is a File as JSON, with its defaults and without secrets: what everybody may see who may look at a supervisor.
// The tables and keys are those of the file.
//
// Of the values of environments and of headers only templates are shown, since nobody can know what a word is. Of the other
// strings that is hidden what follows the name of a secret, and the password in a URL. Where a hook posts to is a secret as a
// whole. What files contain that the File names is not part of it.
func Document(f *File) (json.RawMessage, error) {
	text, err := Encode(withoutSecrets(Complete(f)))
	if err != nil {
		return nil, err
	}
	tree, err := buildTree(text)
	if err != nil {
		return nil, fmt.Errorf("cannot read configuration that was written: %w", err)
	}
	document, err := json.Marshal(tree.plain())
	if err != nil {
		return nil, fmt.Errorf("cannot write configuration: %w", err)
	}
	return document, nil
}

// plain is a value as package json has them.
func (n *node) plain() any {
	switch n.kind {
	case aTable:
		table := map[string]any{}
		for _, e := range n.entries {
			table[e.name] = e.value.plain()
		}
		return table
	case anArray:
		items := make([]any, len(n.items))
		for i, item := range n.items {
			items[i] = item.plain()
		}
		return items
	case anInteger, aFloat:
		return json.Number(n.text)
	case aBoolean:
		return n.text == "true"
	case aString, aDate:
	}
	return n.text
}

// withoutSecrets returns a copy without secrets. It is one of a copy of Complete: the maps of tables are its own.
func withoutSecrets(f *File) *File {
	for name, p := range f.Pool {
		p.Env = hideValues(p.Env)
		p.Command, p.PreStart, p.Requires = redact.Words(p.Command), redact.Each(p.PreStart), redact.Each(p.Requires)
		p.Ready = redact.Text(p.Ready)
		for _, probe := range []*ProbeTable{&p.Startup, &p.Readiness, &p.Liveness} {
			probe.Headers = hideValues(probe.Headers)
			probe.HTTP = redact.Text(probe.HTTP)
			if probe.Exec != "" {
				probe.Exec = redact.Text(probe.Exec)
			}
		}
		f.Pool[name] = p
	}
	for name, h := range f.OnEvent {
		h.Exec, h.Headers = redact.Words(h.Exec), hideValues(h.Headers)
		if h.URL != "" {
			h.URL = redact.Hidden
		}
		f.OnEvent[name] = h
	}
	return f
}

// aTemplate is a value that has nothing of its own: what it comes to are facts of the worker.
var aTemplate = regexp.MustCompile(`^(\{\{\s*\.[A-Za-z.]+\s*\}\}[:/.,-]?)+$`)

func hideValues(values map[string]string) map[string]string {
	shown := maps.Clone(values)
	for name, value := range shown {
		if value != "" && !aTemplate.MatchString(value) {
			shown[name] = redact.Hidden
		}
	}
	return shown
}
