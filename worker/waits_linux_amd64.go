package worker

import "golang.org/x/sys/unix"

// oldKindOf knows the calls that newer architectures do not have any more.
func oldKindOf(number int) waitKind {
	switch number {
	case unix.SYS_POLL:
		return waitPoll
	case unix.SYS_SELECT:
		return waitSelect
	}
	return waitNone
}
