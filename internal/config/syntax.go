package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// syntax is the problem of a text that is not TOML.
func (d *document) syntax(err error) Problem {
	p := Problem{File: d.name, Line: 1, Column: 1, Message: err.Error()}
	bad, ok := errors.AsType[*toml.DecodeError](err)
	if !ok {
		return p
	}
	p.Message = strings.TrimPrefix(bad.Error(), "toml: ")
	p.Key = Key(bad.Key()...)
	at := d.offset(bad.Position())
	p.Line, p.Column, p.Source = d.place(at)
	message, hint := d.explain(at)
	if len(bad.Key()) > 0 {
		hint = d.first(p.Source, at)
	}
	p.Message, p.Hint = or(message, p.Message), hint
	if d.secretAt(at) {
		p.Source, p.Hint = "", ""
	}
	return p
}

// secretAt is secret for a text that has no keys yet: it goes by the line and the header above it.
func (d *document) secretAt(at int) bool {
	end := at + len(d.text[at:])
	if i := bytes.IndexByte(d.text[at:], '\n'); i >= 0 {
		end = at + i
	}
	lines := strings.Split(string(d.text[:end]), "\n")
	for i, line := range slices.Backward(lines) {
		header := strings.HasPrefix(strings.TrimSpace(line), "[")
		if (header || i == len(lines)-1) && (strings.Contains(line, "credentials") || strings.Contains(line, "requires")) {
			return true
		}
		if header {
			break
		}
	}
	return false
}

// explain looks at what is written, and not at the parser's words, for the mistakes of people who know YAML, INI and
// shells better than TOML. An empty message leaves the parser's.
func (d *document) explain(at int) (message, hint string) {
	rest, _, _ := bytes.Cut(d.text[at:], []byte("\n"))
	start := bytes.LastIndexByte(d.text[:at], '\n') + 1
	before := strings.TrimSpace(string(d.text[start:at]))
	value, _, _ := strings.Cut(strings.TrimSpace(string(rest)), " #")
	value = strings.TrimSpace(value)
	switch {
	case at == 0 && bytes.HasPrefix(d.text, []byte("\ufeff")):
		return "the file begins with a byte order mark", "save it as UTF-8 without one"
	case strings.HasSuffix(before, "=") && value == "":
		return "there is no value", `an empty string is ""`
	case strings.HasSuffix(before, "=") && strings.ContainsAny(value[:1], letters+"./$%@:*~"):
		return "this value needs quotes", "write " + quote(value)
	case value == "" && strings.Count(before, `"`)%2 == 1:
		return "the string does not end", "another \" is missing in this line"
	case strings.HasPrefix(value, ":") && strings.TrimSpace(value[1:]) == "":
		return "", "a table is written [" + before + "]"
	case strings.HasPrefix(value, ":"):
		return "", "write " + before + " = " + strings.TrimSpace(value[1:])
	case strings.HasPrefix(value, ";"), strings.HasPrefix(value, "//"):
		return "", "a comment begins with #"
	}
	return "", ""
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// first says where the key was defined that the line at this place defines again. Keys are looked for in their table only.
func (d *document) first(source string, at int) string {
	lines := strings.Split(string(d.text[:bytes.LastIndexByte(d.text[:at], '\n')+1]), "\n")
	header := strings.HasPrefix(strings.TrimSpace(source), "[")
	for i, line := range slices.Backward(lines) {
		if sameKey(line, source) {
			return fmt.Sprintf("it is in line %d already", i+1)
		}
		if !header && strings.HasPrefix(strings.TrimSpace(line), "[") {
			break
		}
	}
	return ""
}

// sameKey compares what two lines define, where they are written alike.
func sameKey(a, b string) bool {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	if strings.HasPrefix(a, "[") != strings.HasPrefix(b, "[") {
		return false
	}
	end := "="
	if strings.HasPrefix(a, "[") {
		end = "#"
	}
	a, _, _ = strings.Cut(a, end)
	b, _, _ = strings.Cut(b, end)
	return strings.TrimSpace(a) == strings.TrimSpace(b)
}
