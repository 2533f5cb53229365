package worker

import (
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// lowerOpenFiles prepares an execution, and returns what is to be done if it fails. Before it, package syscall sets the limit
// of open files that we were started with, and forgets that workers are to have that one: from then on they, and the next
// execution, get it by us.
func (s *Spawner) lowerOpenFiles() (restore func()) {
	var had unix.Rlimit
	if err := prlimit(nil, &had); err != nil {
		return func() {}
	}
	if l := s.openFiles; l != nil {
		_ = prlimit(&unix.Rlimit{Cur: l.Soft, Max: l.Hard}, nil)
	}
	return func() {
		var original unix.Rlimit
		if err := prlimit(&had, &original); err == nil && original != had {
			s.openFiles = &Limit{Resource: unix.RLIMIT_NOFILE, Soft: original.Cur, Hard: original.Max}
		}
	}
}

// limitOpenFiles gives a command the limit that it would have if nothing had been executed in vain.
func (s *Spawner) limitOpenFiles(cmd *Command) {
	own := func(l Limit) bool { return l.Resource == unix.RLIMIT_NOFILE }
	if s.openFiles != nil && !slices.ContainsFunc(cmd.Limits, own) {
		cmd.Limits = append(slices.Clip(cmd.Limits), *s.openFiles)
	}
}

// prlimit is made raw: that of package syscall would forget the original limit at once.
func prlimit(set, old *unix.Rlimit) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_NOFILE,
		uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
