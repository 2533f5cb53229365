package worker

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/broodctl/brood/worker/handshake"
)

// parse reads what may be a template.
func (r *Recipe) parse() []error {
	var errs []error
	read := func(at FieldError, source string) text {
		t, err := parseText(at, source)
		if err != nil {
			errs = append(errs, err)
		}
		return t
	}
	for i, arg := range r.cfg.Argv {
		r.argv = append(r.argv, read(FieldError{Field: "command", Index: i}, arg))
	}
	r.dir = read(FieldError{Field: "dir"}, r.cfg.Dir)
	r.user, r.group = read(FieldError{Field: "user"}, r.cfg.User), read(FieldError{Field: "group"}, r.cfg.Group)
	for i, v := range r.cfg.Env {
		later := func(w Var) bool { return w.Name == v.Name }
		if slices.ContainsFunc(r.cfg.Env[i+1:], later) {
			continue // of several with one name the last counts
		}
		r.env = append(r.env, namedText{name: v.Name, value: read(FieldError{Field: "env", Index: i, Name: v.Name}, v.Value)})
	}
	return errs
}

// try renders what could be parsed.
func (r *Recipe) try(d data) []error {
	var errs []error
	for i, t := range r.texts() {
		wrong := t.check(d)
		if len(wrong) == 0 {
			value, err := t.render(d)
			switch {
			case err != nil:
				wrong = append(wrong, err)
			case i == 0 && value == "":
				wrong = append(wrong, t.at.with(errEmpty))
			}
		}
		errs = append(errs, wrong...)
	}
	return errs
}

// texts are all templates, the program first.
func (r *Recipe) texts() []text {
	all := append(slices.Clone(r.argv), r.dir, r.user, r.group)
	for _, v := range r.env {
		all = append(all, v.value)
	}
	return all
}

// checkNames looks at the names of variables.
func (r *Recipe) checkNames() []error {
	var errs []error
	var seen []string
	check := func(at FieldError) {
		if err := checkName(at.Name); err != nil {
			errs = append(errs, at.with(err))
		}
	}
	for _, own := range []struct {
		field string
		names []string
	}{{"worker_id_env", r.cfg.WorkerIDEnv}, {"fds_env", r.cfg.FDsEnv}} {
		for i, name := range own.names {
			at := FieldError{Field: own.field, Index: i, Name: name}
			if check(at); slices.Contains(seen, name) {
				errs = append(errs, at.with(errors.New("it is asked for twice")))
			}
			seen = append(seen, name)
		}
	}
	for _, v := range r.env {
		if check(v.value.at); slices.Contains(seen, v.name) {
			errs = append(errs, v.value.at.with(errors.New("it is set both by the user and as a further name of brood's own")))
		}
	}
	return errs
}

func checkName(name string) error {
	switch {
	case name == "" || strings.ContainsAny(name, "=\x00"):
		return fmt.Errorf("%q cannot be the name of a variable", name)
	case handshake.Private(name):
		return errors.New("it is brood's own")
	}
	return nil
}
