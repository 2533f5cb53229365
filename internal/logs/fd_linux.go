package logs

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

var errGaveUp = errors.New("nobody took it until the end")

// newPipe returns a pipe whose ends both close on exec. Only our end is
// O_NONBLOCK: each end is an open file description of its own, and the worker's
// must block as stderr always does.
func newPipe() (r, w int, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return -1, -1, fmt.Errorf("cannot create pipe: %w", err)
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		closeFD(fds[0])
		closeFD(fds[1])
		return -1, -1, fmt.Errorf("cannot make pipe non-blocking: %w", err)
	}
	return fds[0], fds[1], nil
}

// changeOwner changes whose the pipe is; both ends are one inode.
func changeOwner(fd, uid, gid int) error {
	if err := unix.Fchown(fd, uid, gid); err != nil {
		return fmt.Errorf("cannot give pipe to user %d: %w", uid, err)
	}
	return nil
}

// closeFD closes a descriptor of ours. close(2) releases it whatever it returns,
// and there is nothing to be done about an error on a pipe.
func closeFD(fd int) {
	if fd >= 0 {
		_ = unix.Close(fd)
	}
}

type pipeState uint8

const (
	pipeData pipeState = iota
	pipeEmpty
	pipeEnded
)

// readNow reads once from a non-blocking pipe.
func readNow(fd int, b []byte) (int, pipeState) {
	for {
		n, err := unix.Read(fd, b)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			return 0, pipeEmpty
		case err != nil || n <= 0:
			return 0, pipeEnded
		}
		return n, pipeData
	}
}

func newWake() int {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return -1 // poll(2) skips it; only giving up early is lost
	}
	return fd
}

func wakeUp(fd int) {
	one := [8]byte{1, 1, 1, 1, 1, 1, 1, 1} // any non-zero count, whatever the byte order
	_, _ = unix.Write(fd, one[:])          // fails only on a count that is already set
}

// calmDown takes wakeUp back.
func calmDown(fd int) {
	var count [8]byte
	_, _ = unix.Read(fd, count[:]) // fails only if there is nothing to take back
}

var errNoPipe = errors.New("it is not the reading end of a pipe")

// checkPipe makes sure of a descriptor that another program left; -1 is none.
func checkPipe(fd int) error {
	if fd < 0 {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("cannot take descriptor %d: %w", fd, err)
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return fmt.Errorf("cannot take descriptor %d: %w", fd, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFIFO || flags&unix.O_ACCMODE != unix.O_RDONLY {
		return fmt.Errorf("cannot take descriptor %d: %w", fd, errNoPipe)
	}
	unix.CloseOnExec(fd)
	if flags&unix.O_NONBLOCK != 0 {
		return nil
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return fmt.Errorf("cannot make pipe %d non-blocking: %w", fd, err)
	}
	return nil
}

// fdKind is what is behind a descriptor, as far as it matters to who writes.
type fdKind uint8

const (
	fdOther fdKind = iota // terminal, socket
	fdPipe
	fdFile
)

// kindOf also returns how much an empty pipe takes.
func kindOf(fd int) (fdKind, int) {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return fdOther, 0
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return fdFile, 0
	case unix.S_IFIFO:
		size, err := unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0)
		if err == nil && size > pieceSize {
			return fdPipe, size
		}
	}
	return fdOther, 0
}

// isEmpty says whether nothing is in a pipe.
func isEmpty(fd int) bool {
	n, err := unix.IoctlGetInt(fd, unix.TIOCINQ) // FIONREAD, which either end of a pipe answers
	return err == nil && n == 0
}

// writeWhenReady waits until fd takes bytes and writes once, without ever
// changing flags of fd, which is shared with others. It returns errGaveUp when
// wake became readable first.
func writeWhenReady(fd, wake int, b []byte) (int, error) {
	if err := waitReady(fd, wake); err != nil {
		return 0, err
	}
	return writeNow(fd, b)
}

func waitReady(fd, wake int) error {
	for {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}, {Fd: int32(wake), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, -1); err != nil {
			if errors.Is(err, unix.EINTR) {
				continue
			}
			return fmt.Errorf("cannot wait for output: %w", err)
		}
		if fds[0].Revents == 0 {
			return errGaveUp
		}
		return nil
	}
}

// writeNow writes once; 0 without an error is to be tried again.
func writeNow(fd int, b []byte) (int, error) {
	n, err := unix.Write(fd, b)
	switch {
	case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("cannot write output: %w", err)
	}
	return n, nil
}

// writeFile writes all to a regular file. A full disk takes what fits.
func writeFile(fd int, b []byte) (int, error) {
	done := 0
	for done < len(b) {
		n, err := writeNow(fd, b[done:])
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// sameFile says whether both descriptors lead to the same place.
func sameFile(a, b int) bool {
	var sa, sb unix.Stat_t
	if unix.Fstat(a, &sa) != nil || unix.Fstat(b, &sb) != nil {
		return false
	}
	return sa.Dev == sb.Dev && sa.Ino == sb.Ino
}
