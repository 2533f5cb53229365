package cgroup

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Empty reports whether no process of the group lives. Those that are dead and not reaped do not count.
func (g *Group) Empty() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.events < 0 {
		return true
	}
	text, err := reread(g.events)
	if err != nil || keyed(text, "populated") == 0 {
		return true
	}
	// Newer kernels count a process until it has left its CPU for the last time, which its parent may notice earlier.
	var st unix.Stat_t
	alone := unix.Stat(g.dir, &st) == nil && st.Nlink == 2 // no groups in it
	return alone && members(g.dir) == ""
}

// Kill kills every process of the group, also those that are being forked, and those of groups in it.
func (g *Group) Kill() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.events < 0 {
		return os.ErrProcessDone
	}
	if err := write(g.dir, "cgroup.kill", "1"); err != nil {
		return fmt.Errorf("cannot kill control group: %w", err)
	}
	return nil
}

// Signal sends a signal to every process of the group, but for those of a process group that is to be spared; 0 spares
// nobody. It returns os.ErrProcessDone if there is none.
func (g *Group) Signal(sig syscall.Signal, spared int) error {
	if sig == unix.SIGKILL && spared == 0 {
		return g.Kill()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.events < 0 {
		return os.ErrProcessDone
	}
	sent := false
	var failed error
	for line := range strings.Lines(members(g.dir)) {
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil || pid <= 0 || spared != 0 && processGroup(pid) == spared {
			continue
		}
		switch err := g.signalMember(pid, sig); {
		case err == nil:
			sent = true
		case !errors.Is(err, unix.ESRCH):
			failed = errors.Join(failed, fmt.Errorf("process %d: %w", pid, err))
		}
	}
	if failed == nil && !sent {
		return os.ErrProcessDone
	}
	return failed
}

// processGroup is 0 for a process that is gone.
func processGroup(pid int) int {
	pgid, err := unix.Getpgid(pid)
	if err != nil {
		return 0
	}
	return pgid
}

// signalMember holds the process before it makes sure that it is a member: the number may have gone to another one since
// it was read.
func (g *Group) signalMember(pid int, sig syscall.Signal) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if !strings.Contains("\n"+members(g.dir), "\n"+strconv.Itoa(pid)+"\n") {
		return unix.ESRCH
	}
	return unix.PidfdSendSignal(fd, sig, nil, 0)
}
