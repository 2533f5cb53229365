package door

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Adopt takes over a door that another program has left under this number, which must be a listening stream socket. The
// number stays open until Keep, whatever becomes of the door. Errors about what it is wrap ErrSocket.
func Adopt(fd int) (*Door, error) {
	if err := check(fd); err != nil {
		return nil, fmt.Errorf("cannot adopt descriptor %d: %w", fd, err)
	}
	ours, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot adopt descriptor %d: %w", fd, err)
	}
	file := os.NewFile(uintptr(ours), "door")
	defer func() { _ = file.Close() }()
	l, err := net.FileListener(file) // it makes another one
	if err != nil {
		return nil, fmt.Errorf("cannot adopt descriptor %d: %w", fd, err)
	}
	d, err := New(l)
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("cannot adopt descriptor %d: %w", fd, err)
	}
	d.adopted = fd
	return d, nil
}

func check(fd int) error {
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSocket, err)
	}
	listens, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil || kind != unix.SOCK_STREAM || listens == 0 {
		return ErrSocket
	}
	return nil
}
