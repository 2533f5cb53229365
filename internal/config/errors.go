package config

import (
	"errors"
	"slices"
	"strings"

	"github.com/broodctl/brood/internal/probe"
	"github.com/broodctl/brood/worker"
)

var (
	errOctal  = errors.New("it is an octal number from 1 to 777, such as 0660")
	errUmask  = errors.New("it is an octal number from 0 to 777, such as 0027")
	errOwner  = errors.New("it is USER, USER:GROUP or :GROUP")
	errIOPrio = errors.New("it is idle, best-effort:LEVEL or realtime:LEVEL, with levels from 0, the first, to 7")
	errRange  = errors.New("it is FIRST-LAST, such as 0-1023")
)

// wordError says which words there are, in place of an error that says it in other words; nil stays nil.
func wordError(word string, all []string, err error) error {
	if err == nil {
		return nil
	}
	return hinted(errors.New("it is one of "+strings.Join(all, ", ")), didYouMeanOnly(word, all))
}

// didYouMeanOnly is the hint where the message lists all words.
func didYouMeanOnly(word string, all []string) string {
	if near := nearest(word, all); near != "" && !slices.Contains(all, word) {
		return "did you mean " + quote(near) + "?"
	}
	return ""
}

// hintError is an error that knows what to do about it.
type hintError struct {
	err  error
	hint string
}

func hinted(err error, hint string) error { return &hintError{err, hint} }

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

// eachField finds the parts of a recipe among joined errors.
func eachField(err error, do func(*worker.FieldError)) {
	switch e := err.(type) { //nolint:errorlint // it walks the tree, where errors.As stops at the first
	case *worker.FieldError:
		do(e)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			eachField(inner, do)
		}
	case interface{ Unwrap() error }:
		eachField(e.Unwrap(), do)
	}
}

// eachProbeField finds the fields of a probe among joined errors.
func eachProbeField(err error, do func(*probe.FieldError)) {
	if joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); ok {
		for _, inner := range joined.Unwrap() {
			eachProbeField(inner, do)
		}
		return
	}
	if e, ok := errors.AsType[*probe.FieldError](err); ok {
		do(e)
	}
}

// hintOf is the hint of an error, "" if it has none.
func hintOf(err error) string {
	if h, ok := errors.AsType[*hintError](err); ok {
		return h.hint
	}
	if h, ok := errors.AsType[interface {
		error
		Hint() string
	}](err); ok {
		return h.Hint()
	}
	return ""
}
