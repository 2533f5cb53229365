package config

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/broodctl/brood/worker"
)

// parseEnvFile reads a file of variables as EnvironmentFile= of systemd.exec(5) does, and returns them in their order.
// Where systemd would drop a line with no more than a word in its log, or does what its page does not promise, there
// is a Problem instead. A name may be there twice: both are returned, and the last counts, as in worker.RecipeConfig.
// Values are literal, $ too; before one becomes part of a recipe, whose values are templates, it goes through literal.
// Such files are full of secrets, so no Problem shows any of the text.
//
//   - Empty lines and lines that begin with # or ; say nothing. A # further on belongs to the value.
//   - The word export before a name is skipped: files that a shell reads as well have it.
//   - Spaces around names and values do not count; those inside of an unquoted value do. A backslash there keeps the
//     sign after it, and joins the next line if it ends one.
//   - 'Single quotes' keep everything, "double quotes" all but a backslash in front of " \ ` $ or the end of a line.
//     Both may go over several lines. Quoted parts with nothing in between are one value.
//   - A byte order mark at the beginning does not count; a carriage return before the end of a line is part of it.
func parseEnvFile(name string, text []byte) ([]worker.Var, []Problem) {
	f := &envFile{name: name, line: 1}
	f.text = strings.ReplaceAll(strings.TrimPrefix(string(text), "\ufeff"), "\r\n", "\n")
	f.checkText()
	if len(f.problems) > 0 {
		return nil, f.problems // the same bytes would make values and names wrong again
	}
	for f.at < len(f.text) {
		f.assignment()
	}
	return f.vars, f.problems
}

type envFile struct {
	name     string
	text     string
	at       int // of the next byte in text
	line     int // that this byte is in, from 1
	start    int // of this line in text
	vars     []worker.Var
	problems []Problem
}

const envBlanks = " \t\r"

var (
	envName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	envExport = regexp.MustCompile(`^export[ \t]+`)
)

func (f *envFile) problem(line, column int, message, hint string) {
	f.problems = append(f.problems, Problem{File: f.name, Line: line, Column: column, Message: message, Hint: hint})
}

// checkText finds what no variable can hold.
func (f *envFile) checkText() {
	line := 0
	for text := range strings.SplitSeq(f.text, "\n") {
		line++
		if before, _, found := strings.Cut(text, "\x00"); found {
			f.problem(line, utf8.RuneCountInString(before)+1, "there is a NUL byte here", "is this a text file?")
		}
		if valid := strings.ToValidUTF8(text, "\xff"); !utf8.ValidString(text) {
			bad := strings.IndexByte(valid, 0xff)
			f.problem(line, utf8.RuneCountInString(text[:bad])+1, "this is not UTF-8", "save the file as UTF-8")
		}
	}
}

// assignment reads one line, and more where its value goes on.
func (f *envFile) assignment() {
	f.skip(envBlanks)
	if f.at == len(f.text) || strings.IndexByte("#;\n", f.text[f.at]) >= 0 {
		f.endLine()
		return
	}
	line, column := f.line, f.column()
	rest, _, _ := strings.Cut(f.text[f.at:], "\n")
	name, _, found := strings.Cut(rest, "=")
	if !found {
		f.problem(line, column, "there is no = in this line", "write NAME=VALUE, or begin a comment with #")
		f.endLine()
		return
	}
	f.at += len(name) + 1
	export := envExport.FindString(name)
	name = strings.TrimRight(name[len(export):], envBlanks)
	if !envName.MatchString(name) {
		// Not the name itself: it may be a line of a key that was meant to be quoted.
		f.problem(line, column+len(export), "this cannot be the name of a variable", "use letters, digits and _, and quote a value of several lines")
		name = ""
	}
	if value, ok := f.value(); ok && name != "" {
		f.vars = append(f.vars, worker.Var{Name: name, Value: value})
	}
}

// value reads what comes after the =, and the end of the line.
func (f *envFile) value() (string, bool) {
	f.skip(envBlanks)
	if f.atQuote() {
		return f.quoted()
	}
	line, column := f.line, f.column()
	value := f.unquoted()
	if strings.Contains(value, "\r") {
		f.problem(line, column, "there is a carriage return in this value", "put the value into double quotes if it belongs there")
		return "", false
	}
	return value, true
}

func (f *envFile) unquoted() string {
	var b strings.Builder
	kept := 0 // so much of b is not trailing space
	for {
		c := f.next()
		switch {
		case c == '\n':
			return b.String()[:kept]
		case c == '\\':
			if c = f.next(); c != '\n' {
				b.WriteByte(c)
			}
			kept = b.Len()
		case strings.IndexByte(envBlanks, c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte(c)
			kept = b.Len()
		}
	}
}

func (f *envFile) quoted() (string, bool) {
	var b strings.Builder
	for f.atQuote() {
		line, column := f.line, f.column()
		quote, closed := f.next(), false
		for f.at < len(f.text) && !closed {
			c := f.next()
			switch {
			case c == quote:
				closed = true
			case c == '\\' && quote == '"' && f.at < len(f.text) && strings.IndexByte("\"\\`$\n", f.text[f.at]) >= 0:
				if c = f.next(); c != '\n' {
					b.WriteByte(c)
				}
			default:
				b.WriteByte(c)
			}
		}
		if !closed {
			f.problem(line, column, "this quote is never closed", "")
			return "", false
		}
	}
	f.skip(envBlanks)
	if f.at < len(f.text) && f.text[f.at] != '\n' {
		f.problem(f.line, f.column(), "there is more after the closing quote", "quote the whole value; a comment needs a line of its own")
		f.endLine()
		return "", false
	}
	f.endLine()
	return b.String(), true
}

// next reads one byte; the end of the text is the end of a line.
func (f *envFile) next() byte {
	if f.at == len(f.text) {
		return '\n'
	}
	c := f.text[f.at]
	f.at++
	if c == '\n' {
		f.line++
		f.start = f.at
	}
	return c
}

func (f *envFile) skip(set string) {
	for f.at < len(f.text) && strings.IndexByte(set, f.text[f.at]) >= 0 {
		f.at++
	}
}

func (f *envFile) endLine() {
	for f.next() != '\n' {
		continue
	}
}

func (f *envFile) atQuote() bool {
	return f.at < len(f.text) && (f.text[f.at] == '"' || f.text[f.at] == '\'')
}

// column counts characters, from 1.
func (f *envFile) column() int { return utf8.RuneCountInString(f.text[f.start:f.at]) + 1 }
