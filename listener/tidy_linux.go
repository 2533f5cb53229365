package listener

import (
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tidy removes from an inherited socket the filter of Pause. The service manager's copy keeps it when a supervisor dies
// while it is paused, and the next one would never get a connection. A filter that is not ours stays.
func tidy(fd int) error {
	ours, err := bouncer()
	if err != nil {
		return err
	}
	if !slices.Equal(attached(fd, len(ours)), ours) {
		return nil
	}
	return letIn(fd)
}

// attached reads the filter of a socket if it has n instructions: see SO_GET_FILTER in include/uapi/asm-generic/socket.h,
// which is the number of SO_ATTACH_FILTER. Its length counts instructions, not bytes.
func attached(fd, n int) []unix.SockFilter {
	filter := make([]unix.SockFilter, n)
	length := uint32(n)
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		uintptr(unsafe.Pointer(&filter[0])), uintptr(unsafe.Pointer(&length)), 0)
	if errno != 0 || int(length) != n {
		return nil // a longer one does not fit, and is somebody else's
	}
	return filter
}
