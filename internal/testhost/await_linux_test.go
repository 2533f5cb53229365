package testhost

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const patience = 20 * time.Second

func openProcess(t *testing.T, pid int) int {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// awaitEnd waits until the process has ended.
func awaitEnd(t *testing.T, pidfd int) {
	t.Helper()
	await(t, pidfd, "the process does not end")
}

func await(t *testing.T, fd int, complaint string) {
	t.Helper()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience.Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			t.Fatalf("%s (%v)", complaint, err)
		}
		return
	}
}

// awaitRemoval waits until an entry of a directory is gone. The kernel reports
// the removal of a cgroup to a watch on the directory itself.
func awaitRemoval(t *testing.T, dir, name string) {
	t.Helper()
	path := filepath.Join(dir, name)
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_DELETE|unix.IN_MOVED_FROM); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 16*(unix.SizeofInotifyEvent+unix.NAME_MAX+1))
	for {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return
		}
		await(t, fd, path+" is not removed")
		if _, err := unix.Read(fd, buffer); err != nil {
			t.Fatal(err)
		}
	}
}
