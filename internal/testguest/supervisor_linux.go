package testguest

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// envSupervisor holds the pid with which a guest ends: those that have no parent
// any more find their supervisor by it.
const envSupervisor = "TESTGUEST_SUPERVISOR"

// followParent makes this process, and all guests that it starts, end with its
// parent.
func followParent() error {
	if os.Getenv(envSupervisor) != "" {
		return nil // it follows already
	}
	parent := os.Getppid()
	if err := os.Setenv(envSupervisor, strconv.Itoa(parent)); err != nil {
		return err
	}
	return follow(parent)
}

// followNamed does so in the guests that it starts.
func followNamed() error {
	name := os.Getenv(envSupervisor)
	if name == "" {
		return nil
	}
	pid, err := strconv.Atoi(name)
	if err != nil {
		return fmt.Errorf("%s is %q", envSupervisor, name)
	}
	return follow(pid)
}

// follow ends this process as soon as another ends.
func follow(pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("the supervisor, process %d, has ended", pid)
	}
	if err != nil {
		return fmt.Errorf("cannot watch process %d: %w", pid, err)
	}
	go func() { // ends with the process
		for {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
			if n == 1 || err != nil && !errors.Is(err, unix.EINTR) {
				os.Exit(exitOrphaned)
			}
		}
	}()
	return nil
}
