package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/text"
)

// The exit codes; see docs/exit-codes.md.
const (
	exitDone     = 0
	exitFailed   = 1
	exitUsage    = 2
	exitConfig   = 78  // EX_CONFIG of sysexits.h: the configuration file has mistakes
	exitLeft     = 130 // as shells say of SIGINT: nobody waits any longer, and what was asked for goes on
	exitNoAnswer = 69  // EX_UNAVAILABLE of sysexits.h: no supervisor answers
)

// userError is an error with what the user can do about it, and the exit code.
type userError struct {
	code  int
	err   error
	hint  string
	lines []string // what a worker said last
	done  string   // what was done all the same, of pools together
}

func (e *userError) Error() string { return e.err.Error() }
func (e *userError) Unwrap() error { return e.err }

// exitCode ends the program with a code that needs no words: they have been said already.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// toldError is one that programs have been told, as the last object of a stream. People have not.
type toldError struct{ error }

func (e toldError) Unwrap() error { return e.error }

// hinter is an error that knows what the user can do.
type hinter interface{ Hint() string }

// failure is an error as people and programs are told: with --output json it is written to stdout, in one line.
type failure struct {
	Error    string    `json:"error"`
	Hint     string    `json:"hint,omitempty"`
	Text     string    `json:"text,omitempty"` // what was done all the same
	Lines    []string  `json:"last_lines,omitempty"`
	Mistakes []mistake `json:"mistakes,omitempty"` // of a configuration file
	Exit     int       `json:"exit_code"`
}

// mistake is one of a configuration file.
type mistake struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"` // from 1
	Column  int    `json:"column,omitempty"`
	Key     string `json:"key,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// failureOf is what an error comes to.
func failureOf(err error) failure {
	f := failure{Error: err.Error(), Exit: exitFailed}
	if bad, ok := errors.AsType[*configError](err); ok {
		f.Exit, f.Error = exitConfig, bad.summary()
		for _, p := range bad.problems {
			f.Mistakes = append(f.Mistakes, mistake{p.File, p.Line, p.Column, p.Key, p.Message, p.Hint})
		}
		return f
	}
	var user *userError
	var hints hinter
	switch {
	case errors.As(err, &user):
		f.Exit, f.Hint, f.Lines, f.Text = user.code, user.hint, user.lines, user.done
	case errors.As(err, &hints):
		f.Hint = hints.Hint()
	case errors.Is(err, control.ErrNoAnswer):
		f.Exit = exitNoAnswer
		f.Hint = "brood run starts one; --name or --control says which one is meant, and brood ps lists them"
	}
	return f
}

// report writes an error for people and returns its exit code.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	if code, ok := errors.AsType[exitCode](err); ok {
		return int(code)
	}
	if bad, ok := errors.AsType[*configError](err); ok {
		_, _ = fmt.Fprintf(stderr, "%v\n", bad) // file:line:column comes first, for editors
		return exitConfig
	}
	f := failureOf(err)
	if f.Text != "" {
		_, _ = fmt.Fprintln(stderr, harmless(f.Text))
	}
	_, _ = fmt.Fprintf(stderr, "brood: %s\n", harmless(f.Error))
	for _, line := range f.Lines {
		_, _ = fmt.Fprintf(stderr, "  | %s\n", text.Neutral(line))
	}
	if f.Hint != "" {
		_, _ = fmt.Fprintf(stderr, "hint: %s\n", harmless(f.Hint))
	}
	return f.Exit
}

// harmless is a text of several lines in which others may have had a say: what a supervisor answers has names and last words
// of strangers in it.
func harmless(words string) string {
	lines := strings.Split(words, "\n")
	for i := range lines {
		lines[i] = text.Neutral(lines[i])
	}
	return strings.Join(lines, "\n")
}

// tellPrograms writes an error to stdout too, unless that has been done.
func tellPrograms(stdout io.Writer, err error) {
	_, told := errors.AsType[toldError](err)
	_, silent := errors.AsType[exitCode](err)
	if err != nil && !told && !silent {
		_ = json.NewEncoder(stdout).Encode(failureOf(err)) // there is an error already
	}
}

// wantsJSON reports whether the output of a command is for programs. It looks at the words themselves: a mistake among the
// flags is an answer for programs as well.
func wantsJSON(app *cli.App, args []string) bool {
	if len(args) < 2 {
		return false
	}
	command := app.Command(args[1])
	if command == nil || flagNamed(command.Flags, "output") == nil {
		return false
	}
	l := readLine(command, args[2:])
	for _, name := range []string{"output", "o"} {
		if value, given := l.given[name]; given {
			return value == formatJSON
		}
	}
	return os.Getenv(env("output")[0]) == formatJSON
}

// usage is a mistake in how the program was called.
func usage(hint, format string, args ...any) error {
	return &userError{code: exitUsage, err: fmt.Errorf(format, args...), hint: hint}
}
