package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strings"
)

// hidden stands for what is not shown.
const hidden = "***"

// Document is a File as JSON, with its defaults and without secrets: what everybody may see who may look at a supervisor.
// The tables and keys are those of the file.
//
// Of the values of environments and of headers only templates are shown, since nobody can know what a word is. Of the other
// strings that is hidden what follows the name of a secret, and the password in a URL. Where a hook posts to is a secret as a
// whole. What files contain that the File names is not part of it.
func Document(f *File) (json.RawMessage, error) {
	text, err := Encode(redact(Complete(f)))
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

// redact returns a copy without secrets. It is one of a copy of Complete: the maps of tables are its own.
func redact(f *File) *File {
	for name, p := range f.Pool {
		p.Env = hideValues(p.Env)
		p.Command, p.PreStart, p.Requires = hideWords(p.Command), hideEach(p.PreStart), hideEach(p.Requires)
		p.Ready = hideInText(p.Ready)
		for _, probe := range []*ProbeTable{&p.Startup, &p.Readiness, &p.Liveness} {
			probe.Headers = hideValues(probe.Headers)
			probe.HTTP = hideInText(probe.HTTP)
			if probe.Exec != "" {
				probe.Exec = hideInText(probe.Exec)
			}
		}
		f.Pool[name] = p
	}
	for name, h := range f.OnEvent {
		h.Exec, h.Headers = hideWords(h.Exec), hideValues(h.Headers)
		if h.URL != "" {
			h.URL = hidden
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
			shown[name] = hidden
		}
	}
	return shown
}

// secretName is what secrets are called.
const secretName = `[A-Za-z0-9_.-]*(?i:pass(?:word|wd|phrase)?|pw|secret|token|api-?_?key|access-?_?key|private-?_?key|credential|auth|bearer|cookie|dsn)[A-Za-z0-9_.-]*` //nolint:gosec // names of secrets, and no secret

var (
	// aSecretFlag is a word that names the secret that the next one is.
	aSecretFlag = regexp.MustCompile(`^-{1,2}` + secretName + `$`)
	// assigned is a secret behind its name; what quotes it belongs to it.
	assigned = regexp.MustCompile(`(` + secretName + `["']?\s*[=:]\s*)(?:"[^"]*"|'[^']*'|(?i:bearer|basic)\s+\S+|[^\s"'&;]+)`)
	// separate is one behind a flag, in a line for a shell.
	separate = regexp.MustCompile(`(\s-{1,2}` + secretName + `\s+)(?:"[^"]*"|'[^']*'|[^\s"'-]\S*)`)
	// inURL is the user and the password in front of a host.
	inURL = regexp.MustCompile(`(://)[^/\s@]+@`)
)

// hideWords hides secrets in the words of a command.
func hideWords(words []string) []string {
	var shown []string
	for i, word := range words {
		switch {
		case i > 0 && aSecretFlag.MatchString(words[i-1]) && !strings.HasPrefix(word, "-"):
			shown = append(shown, hidden)
		default:
			shown = append(shown, hideInText(word))
		}
	}
	return shown
}

func hideEach(texts []string) []string {
	var shown []string
	for _, text := range texts {
		shown = append(shown, hideInText(text))
	}
	return shown
}

// hideInText hides what follows the name of a secret, and passwords in URLs.
func hideInText(text string) string {
	text = inURL.ReplaceAllString(text, "${1}"+hidden+"@")
	text = separate.ReplaceAllString(text, "${1}"+hidden)
	return assigned.ReplaceAllString(text, "${1}"+hidden)
}
