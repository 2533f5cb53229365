package testguest

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"github.com/broodctl/brood/worker/handshake"
)

// leaver starts an http guest with its sockets and its flags in its own process
// group, and ends at once: the child serves.
func leaver(args []string) int {
	if err := followParent(); err != nil {
		return fail(err)
	}
	return leaveTo(append([]string{"http"}, args...), nil)
}

// daemon does what daemon(7) tells the old ones to do: the http guest that serves
// is a grandchild in a session of its own, and nobody waits for it.
func daemon(args []string) int {
	child := append([]string{"daemon"}, args...)
	if os.Getenv(envSupervisor) != "" { // it is the session's leader
		return leaveTo(append([]string{"http"}, args...), nil)
	}
	if err := followParent(); err != nil {
		return fail(err)
	}
	return leaveTo(child, &syscall.SysProcAttr{Setsid: true})
}

// leaveTo starts a guest that has everything that this one has.
func leaveTo(words []string, how *syscall.SysProcAttr) int {
	exe, err := os.Executable()
	if err != nil {
		return fail(err)
	}
	fds, err := fromSystemd()
	if err == nil && len(fds) == 0 {
		fds, err = fromBrood()
	}
	if err != nil {
		return fail(err)
	}
	cmd := exec.Command(exe, append([]string{Word}, words...)...)
	cmd.SysProcAttr = how
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	// BROOD_FDS tells the same without a pid.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "LISTEN_")
	})
	for i := range len(fds) {
		fd := handshake.FirstFD + i
		cmd.ExtraFiles = append(cmd.ExtraFiles, os.NewFile(uintptr(fd), fmt.Sprint("socket ", i)))
	}
	if err := cmd.Start(); err != nil {
		return fail(err)
	}
	return 0
}
