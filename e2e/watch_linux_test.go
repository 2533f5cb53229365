//go:build e2e

package e2e

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// watchClosed watches a directory and gives a function that waits until so many
// more files in it were written and closed.
func watchClosed(t *testing.T, dir string) func(n int) []string {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_CLOSE_WRITE); err != nil {
		t.Fatal(err)
	}
	var pending []string
	return func(n int) []string {
		t.Helper()
		buffer := make([]byte, 1<<16)
		for len(pending) < n {
			awaitReadable(t, fd, "files to be written")
			size, err := unix.Read(fd, buffer)
			if err != nil {
				t.Fatal(err)
			}
			for rest := buffer[:size]; len(rest) >= unix.SizeofInotifyEvent; {
				length := int(binary.NativeEndian.Uint32(rest[12:])) // inotify(7): the fourth field
				name := rest[unix.SizeofInotifyEvent : unix.SizeofInotifyEvent+length]
				pending = append(pending, string(bytes.TrimRight(name, "\x00")))
				rest = rest[unix.SizeofInotifyEvent+length:]
			}
		}
		names := pending[:n:n]
		pending = pending[n:]
		return names
	}
}

// awaitReadable waits for a descriptor, with the usual patience.
func awaitReadable(t *testing.T, fd int, what string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		left := max(0, time.Until(deadline).Milliseconds())
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			t.Fatalf("waited in vain for %s (%v)", what, err)
		}
		return
	}
}

// watchEnd gives a function that waits until a process has ended. It must be
// called while the process lives.
func watchEnd(t *testing.T, pid int) func() {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatalf("cannot watch process %d: %v", pid, err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return func() {
		t.Helper()
		awaitReadable(t, fd, "the end of a process")
	}
}
