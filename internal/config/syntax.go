package config

import (
	"bytes"
	"errors"
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
	p.Hint = d.syntaxHint(at)
	return p
}

// syntaxHint looks at what is written, and not at the parser's words, for the mistakes of people who know YAML, INI and
// shells better than TOML.
func (d *document) syntaxHint(at int) string {
	rest, _, _ := bytes.Cut(d.text[at:], []byte("\n"))
	start := bytes.LastIndexByte(d.text[:at], '\n') + 1
	before := strings.TrimSpace(string(d.text[start:at]))
	key, _, _ := strings.Cut(strings.TrimSpace(string(rest)), "#")
	value := strings.TrimSpace(key)
	switch {
	case bytes.HasPrefix(d.text, []byte("\ufeff")) && at == 0:
		return "save the file as UTF-8 without a byte order mark"
	case strings.HasSuffix(before, "=") && value == "":
		return "a value is missing; an empty string is \"\""
	case strings.HasSuffix(before, "=") && strings.ContainsAny(value[:1], letters+"./$%@:*"):
		return "text is written in quotes: " + quote(value)
	case strings.HasPrefix(value, ":"):
		return "write " + before + " = " + strings.TrimSpace(value[1:])
	case strings.HasPrefix(value, ";") || strings.HasPrefix(value, "//"):
		return "a comment begins with #"
	}
	return ""
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
