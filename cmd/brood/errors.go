package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/broodctl/brood/internal/control"
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
}

func (e *userError) Error() string { return e.err.Error() }
func (e *userError) Unwrap() error { return e.err }

// exitCode ends the program with a code that needs no words: they have been said already.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// hinter is an error that knows what the user can do.
type hinter interface{ Hint() string }

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
	status, hint := exitFailed, ""
	var user *userError
	var hints hinter
	switch {
	case errors.As(err, &user):
		status, hint = user.code, user.hint
	case errors.As(err, &hints):
		hint = hints.Hint()
	case errors.Is(err, control.ErrNoAnswer):
		status = exitNoAnswer
		hint = "brood run starts one; --name or --control says which one is meant"
	}
	_, _ = fmt.Fprintf(stderr, "brood: %v\n", err)
	if user != nil {
		for _, line := range user.lines {
			_, _ = fmt.Fprintf(stderr, "  | %s\n", line)
		}
	}
	if hint != "" {
		_, _ = fmt.Fprintf(stderr, "hint: %s\n", hint)
	}
	return status
}

// usage is a mistake in how the program was called.
func usage(hint, format string, args ...any) error {
	return &userError{code: exitUsage, err: fmt.Errorf(format, args...), hint: hint}
}
