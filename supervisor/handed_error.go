package supervisor

import (
	"errors"
	"maps"
	"slices"
)

// HandedError is an error of another program in our place: its words, and which of ours are in its chain.
type HandedError struct {
	Text string
	Is   []string `json:",omitempty"`
}

// lasting are the errors that somebody asks for, by names that do not change.
func lasting() map[string]error {
	return map[string]error{
		"stopped": ErrStopped, "rollout": ErrRollout, "reload": ErrReload, "restart": ErrRestart, "relay": ErrRelay,
		"aborted": ErrAborted, "requirement": ErrRequirement, "pre_start": ErrPreStart, "no pool": ErrNoPool, "no slot": ErrNoSlot,
		"not started": ErrNotStarted, "upgrade": ErrUpgrade,
	}
}

func handError(err error) *HandedError {
	if err == nil {
		return nil
	}
	h := &HandedError{Text: err.Error()}
	all := lasting()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if errors.Is(err, all[name]) {
			h.Is = append(h.Is, name)
		}
	}
	return h
}

// error is the error again; nil of nil.
func (h *HandedError) error() error {
	if h == nil {
		return nil
	}
	e := &pastError{text: h.Text}
	all := lasting()
	for _, name := range h.Is {
		if err := all[name]; err != nil {
			e.is = append(e.is, err)
		}
	}
	return e
}

// pastError is what became of an error of another program.
type pastError struct {
	text string
	is   []error
}

func (e *pastError) Error() string { return e.text }

// Unwrap returns the errors of ours in its chain.
func (e *pastError) Unwrap() []error { return e.is }
