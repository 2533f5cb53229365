package logs

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// dialJournal connects: only so can poll(2) tell whether there is room. A journald that was started anew has to be
// connected to anew.
func dialJournal(path string) (int, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, fmt.Errorf("cannot make socket for journald: %w", err)
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		closeFD(fd)
		return -1, fmt.Errorf("cannot connect to journald at %s: %w", path, err)
	}
	// Two longest records must fit. That it may not be more than net.core.wmem_max is fine, if that is the default.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 2*maxLine+pieceSize)
	return fd, nil
}

// sendRecord sends one datagram, and waits for room. One that is larger than datagrams may be here goes as a file.
func sendRecord(fd, wake int, record []byte) error {
	for {
		err := unix.Send(fd, record, unix.MSG_NOSIGNAL)
		if errors.Is(err, unix.EMSGSIZE) {
			err = sendFile(fd, record)
		}
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			if err := waitReady(fd, wake); err != nil {
				return err
			}
		default:
			return fmt.Errorf("cannot send to journald: %w", err)
		}
	}
}

// sendFile sends a record in a sealed memfd, see the protocol.
func sendFile(fd int, record []byte) error {
	file, err := unix.MemfdCreate("record", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return fmt.Errorf("cannot make file for record: %w", err)
	}
	defer closeFD(file)
	if _, err := writeFile(file, record); err != nil {
		return err
	}
	const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(file), unix.F_ADD_SEALS, seals); err != nil {
		return fmt.Errorf("cannot seal record: %w", err)
	}
	return unix.Sendmsg(fd, nil, unix.UnixRights(file), nil, unix.MSG_NOSIGNAL)
}
