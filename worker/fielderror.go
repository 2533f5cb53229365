package worker

import (
	"fmt"
	"strings"
)

// FieldError says which part of a RecipeConfig is wrong. NewRecipe joins them, so
// that all can be shown, each at its place.
type FieldError struct {
	// Field is the key in a configuration file: "command", "env", "dir", "user",
	// "group", "worker_id_env" or "fds_env", or that of a Template.
	Field string
	// Index counts from 0 within a list: the argument, the variable of Env.
	Index int
	// Name is that of the variable.
	Name string
	Err  error
}

func (e *FieldError) Error() string { return e.place() + ": " + e.Err.Error() }

func (e *FieldError) Unwrap() error { return e.Err }

func (e *FieldError) place() string {
	switch e.Field {
	case "command":
		if e.Index == 0 {
			return "the program"
		}
		return fmt.Sprintf("argument %d", e.Index)
	case "dir":
		return "the working directory"
	case "env", "worker_id_env", "fds_env":
		return "variable " + e.Name
	}
	return "the " + e.Field
}

// with is e for another cause.
func (e FieldError) with(err error) *FieldError {
	e.Err = err
	return &e
}

// UnknownNameError says that a template asks for something that is not there.
type UnknownNameError struct {
	What  string // "value", "listener", "listener with a descriptor", "listener with a port", "function"
	Name  string
	Known []string // what there is, sorted
}

func (e *UnknownNameError) Error() string {
	text := fmt.Sprintf("there is no %s %q", e.What, e.Name)
	if len(e.Known) == 0 {
		return text
	}
	return text + ", only " + strings.Join(e.Known, ", ")
}
