package worker

import (
	"slices"
	"syscall"
)

// ExitSet are the ends, beside status 0, that count as success.
type ExitSet struct {
	Codes   []int
	Signals []syscall.Signal
}

// Has reports whether an end is among them. A signal is also found in the status by which programs such as puma tell
// of one: 143 for SIGTERM.
func (s ExitSet) Has(e Exit) bool {
	return e.Success() || e.Signal == 0 && slices.Contains(s.Codes, e.Code) || slices.ContainsFunc(s.Signals, e.EndedBy)
}
