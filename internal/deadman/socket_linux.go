package deadman

import (
	"errors"
	"io"

	"golang.org/x/sys/unix"
)

// pair makes the two ends of a socket that keeps messages whole. Both block, for whoever does not ask for another way.
func pair() (ours, theirs int, err error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	return ends[0], ends[1], err
}

// send never waits. Descriptors come with a message as its Files say.
func send(fd int, m Message, files ...int) error {
	text := m.Encode()
	var rights []byte
	if len(files) > 0 {
		rights = unix.UnixRights(files...)
	}
	for {
		err := unix.Sendmsg(fd, text[:], rights, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// receive never waits: EAGAIN says that there is nothing, io.EOF that nobody is at the other end. Descriptors that did not
// come through are -1.
func receive(fd int) (m Message, process, group int, err error) {
	var text [Size + 1]byte
	var rights [64]byte // for more descriptors than are ever sent
	process, group = -1, -1
	n, oob, _, _, err := unix.Recvmsg(fd, text[:], rights[:], unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
	switch {
	case errors.Is(err, unix.EINTR):
		return receive(fd)
	case errors.Is(err, unix.ECONNRESET): // it has left without reading everything
		return m, process, group, io.EOF
	case err != nil:
		return m, process, group, err
	case n == 0:
		return m, process, group, io.EOF
	}
	files := filesIn(rights[:oob])
	if m, err = Parse(text[:n]); err != nil {
		closeAll(files)
		return m, process, group, err
	}
	take := func(which Files) int {
		if m.Files&which == 0 || len(files) == 0 {
			return -1
		}
		fd := files[0]
		files = files[1:]
		return fd
	}
	process = take(WithProcess)
	group = take(WithGroup)
	closeAll(files)
	return m, process, group, nil
}

func filesIn(rights []byte) []int {
	parts, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return nil
	}
	var files []int
	for i := range parts {
		if some, err := unix.ParseUnixRights(&parts[i]); err == nil {
			files = append(files, some...)
		}
	}
	return files
}

func closeAll(files []int) {
	for _, fd := range files {
		_ = unix.Close(fd)
	}
}

// now is the time since the machine was started; see clock_gettime(2) about CLOCK_BOOTTIME.
func now() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) // there since Linux 2.6.39
	return ts.Nano()
}
