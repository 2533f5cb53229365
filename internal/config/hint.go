package config

import "errors"

// hintError is an error that knows what to do about it.
type hintError struct {
	err  error
	hint string
}

func hinted(err error, hint string) error { return &hintError{err, hint} }

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

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
