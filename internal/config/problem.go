package config

import (
	"fmt"
	"iter"
	"strings"
	"unicode"
)

// Problem is one mistake.
type Problem struct {
	File string // "" for flags
	// Line and Column count from 1, columns in characters; 0 if it is not about a place in a file.
	Line, Column int
	Key          string // as pool.web.workers; see Key
	Message      string
	Source       string // the line, "" if it must not be shown
	Hint         string // what to do about it, or ""
}

// Error is the problem as people read it: place and message, the line with a mark below the column, the hint.
func (p Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(printable(p.File) + ":")
	}
	if p.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", p.Line, p.Column)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	b.WriteString(p.Message)
	if strings.TrimSpace(p.Source) != "" {
		line, mark := excerpt(p.Source, p.Column)
		b.WriteString("\n    " + line + "\n    " + mark)
	}
	for line := range wrapped(p.Hint) {
		b.WriteString("\n    " + line)
	}
	return b.String()
}

// wrapped cuts a hint into lines of a width to read.
func wrapped(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for len(s) > shown {
			at := strings.LastIndexByte(s[:shown], ' ')
			if at < 0 {
				break
			}
			if !yield(s[:at]) {
				return
			}
			s = s[at+1:]
		}
		if s != "" {
			yield(s)
		}
	}
}

// Problems are all mistakes of a configuration, in the order of the file.
type Problems []Problem

// Error is all of them, one below the other.
func (ps Problems) Error() string {
	words := make([]string, len(ps))
	for i, p := range ps {
		words[i] = p.Error()
	}
	return strings.Join(words, "\n")
}

// Unwrap lets errors.As find a Problem.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// shown is how much of a long line is quoted, in characters.
const shown = 100

// excerpt returns the line, or the part of it round the column, and a line with a caret below the column. Tabs stay tabs
// in both, so that the caret is right whatever their width; what could drive a terminal does not get there.
func excerpt(line string, column int) (text, mark string) {
	runes := []rune(printable(line))
	at := min(max(column-1, 0), len(runes))
	from, before, after := 0, "", ""
	if len(runes) > shown {
		from = max(min(at-shown/2, len(runes)-shown), 0)
		if from > 0 {
			before = "..."
		}
		if from+shown < len(runes) {
			after = "..."
		}
		runes = runes[from:min(from+shown, len(runes))]
	}
	blank := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, before+string(runes[:at-from]))
	return before + strings.TrimRightFunc(string(runes), unicode.IsSpace) + after, blank + "^"
}

// printable replaces, one for one, what is no character to print.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}
