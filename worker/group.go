package worker

import "syscall"

// Group is a control group for one process and what becomes of it; see internal/cgroup. A process in one is gone when
// the group is empty: also those that left the process group, as daemons do, are its own.
//
// Only Make and Watch are called on Main's thread or before Main; the others may be called from any goroutine, and must not call back.
type Group interface {
	// Make is called right before the fork. It returns a descriptor of the group for clone(2), which is closed after the
	// fork, or -1 if the process is to be born without: then no other method is called. emptied may be called at any
	// time from then on, and is to be called when the last process has ended.
	Make(emptied func()) (fd int, err error)
	// Watch is called instead of Make for a process that the program before has started in it. That it is empty already
	// need not be told.
	Watch(emptied func())
	// Empty reports whether no process lives in it; dead ones that were not reaped do not count.
	Empty() bool
	// Signal signals all of them but those of the process group that is to be spared; 0 spares nobody. It returns
	// os.ErrProcessDone if there are none.
	Signal(sig syscall.Signal, spared int) error
	// Remove is called once, when it is empty and nobody will enter it any more, or nobody ever did.
	Remove()
}
