package shim

import (
	"syscall"
	"unsafe"
)

// report says that this process has to die when its claims end, before it runs the program; see internal/deadman. The pidfd is
// made here: a number that is read later could be somebody else's.
func (w *Watch) report() error {
	if w.Socket == 0 {
		return nil
	}
	defer syscall.Close(w.Socket)
	pid := syscall.Getpid()
	const pidfdOpen = 434 // of all architectures; package syscall is frozen
	fd, _, errno := syscall.RawSyscall(pidfdOpen, uintptr(pid), 0, 0)
	if errno != 0 {
		return errno
	}
	defer syscall.Close(int(fd))
	text := w.Message(uint32(pid))
	for {
		_, err := syscall.SendmsgN(w.Socket, text[:], syscall.UnixRights(int(fd)), nil, syscall.MSG_NOSIGNAL)
		if err != syscall.EINTR {
			return err
		}
	}
}

// check reports ETIME when the claims have ended. Whoever passes it is known, and dies at that time: also who is stopped here.
func (w *Watch) check() error {
	if w.Socket == 0 {
		return nil
	}
	const boottime = 7 // CLOCK_BOOTTIME
	var now syscall.Timespec
	_, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, boottime, uintptr(unsafe.Pointer(&now)), 0)
	if errno != 0 {
		return errno
	}
	if uint64(now.Nano()) >= w.Until {
		return syscall.ETIME
	}
	return nil
}
