package worker

import (
	"slices"
	"syscall"
)

// ExitSet are the ends of a process that count as success, beside status 0:
// SuccessExitStatus= of systemd.service(5). The zero value is status 0 alone.
type ExitSet struct {
	Codes   []int
	Signals []syscall.Signal
}

// Has tells whether e is one of them. A signal in the set also stands for the
// status by which programs say that it ended them: see Exit.EndedBy.
func (s ExitSet) Has(e Exit) bool {
	return e.Success() ||
		e.Signal == 0 && e.Code != CodeUnknown && slices.Contains(s.Codes, e.Code) ||
		slices.ContainsFunc(s.Signals, e.EndedBy)
}
