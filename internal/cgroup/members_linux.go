package cgroup

import (
	"errors"
	"fmt"
	"os"
	"slices"
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
	switch err := write(g.dir, "cgroup.kill", "1"); {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV): // somebody has removed it
		return os.ErrProcessDone
	case err != nil:
		return fmt.Errorf("cannot kill control group: %w", err)
	}
	return nil
}

// Open makes a descriptor of the group's directory, by which somebody else can kill it. The caller closes it.
func (g *Group) Open() (fd int, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.events < 0 {
		return -1, os.ErrProcessDone
	}
	return open(g.dir, unix.O_RDONLY|unix.O_DIRECTORY)
}

// held is how many processes Signal holds at once, each by a descriptor. They share our limit with everything else.
const held = 256

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
	pids := slices.DeleteFunc(pidsIn(g.dir), func(pid int) bool { return spared != 0 && processGroup(pid) == spared })
	sent := 0
	var failed error
	for some := range slices.Chunk(pids, held) {
		n, err := g.signalMembers(some, sig)
		sent, failed = sent+n, errors.Join(failed, err)
	}
	if failed == nil && sent == 0 {
		return os.ErrProcessDone
	}
	return failed
}

// signalMembers holds the processes before it makes sure that they are members: numbers may have gone to others since
// they were read. It tells how many were signalled; nobody is twice, although the kernel may name one twice.
func (g *Group) signalMembers(pids []int, sig syscall.Signal) (sent int, failed error) {
	fds := make(map[int]int, len(pids))
	defer func() {
		for _, fd := range fds {
			_ = unix.Close(fd)
		}
	}()
	for _, pid := range pids {
		if _, twice := fds[pid]; twice {
			continue
		}
		switch fd, err := unix.PidfdOpen(pid, 0); {
		case err == nil:
			fds[pid] = fd
		case !errors.Is(err, unix.ESRCH):
			failed = errors.Join(failed, fmt.Errorf("process %d: %w", pid, err))
		}
	}
	for _, pid := range pidsIn(g.dir) {
		fd, ok := fds[pid]
		if !ok {
			continue
		}
		switch err := unix.PidfdSendSignal(fd, sig, nil, 0); {
		case err == nil:
			sent++
		case !errors.Is(err, unix.ESRCH):
			failed = errors.Join(failed, fmt.Errorf("process %d: %w", pid, err))
		}
		delete(fds, pid)
		_ = unix.Close(fd)
	}
	return sent, failed
}

// pidsIn are the members that can be named: not those of another namespace.
func pidsIn(dir string) []int {
	var pids []int
	for line := range strings.Lines(members(dir)) {
		if pid, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids
}

// processGroup is 0 for a process that is gone.
func processGroup(pid int) int {
	pgid, err := unix.Getpgid(pid)
	if err != nil {
		return 0
	}
	return pgid
}
