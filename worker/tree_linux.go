package worker

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"syscall"
)

// Tree lists a worker and everything that belongs to it: its descendants, and
// the members of its process group that lost their parent and were adopted by
// this process, the subreaper. A worker that has been reaped but left members is
// found by these. The answer is a moment's truth; processes that end meanwhile
// are left out. A process id is never signalled by such an answer.
func Tree(pid int) ([]int, error) {
	var tree []int
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		tree = append(tree, pid)
	}
	adopted, err := children(os.Getpid())
	if err != nil {
		return nil, fmt.Errorf("cannot list processes of %d: %w", pid, err)
	}
	for _, child := range adopted {
		if pgid, err := syscall.Getpgid(child); err == nil && pgid == pid && child != pid {
			tree = append(tree, child)
		}
	}
	for i := 0; i < len(tree); i++ { // grows while we go
		next, err := children(tree[i])
		if err != nil && !isGoneError(err) {
			return nil, fmt.Errorf("cannot list processes of %d: %w", pid, err)
		}
		for _, child := range next {
			if !slices.Contains(tree, child) {
				tree = append(tree, child)
			}
		}
	}
	return tree, nil
}

// children asks every thread, because a child belongs to the thread that forked
// it: /proc/PID/task/TID/children of proc(5).
func children(pid int) ([]int, error) {
	threads, err := threads(pid)
	if err != nil {
		return nil, err
	}
	var all []int
	for _, tid := range threads {
		text, err := os.ReadFile(procPath(pid, "task/"+strconv.Itoa(tid)+"/children"))
		if isGoneError(err) {
			continue // the thread ended
		}
		if err != nil {
			return nil, err
		}
		for field := range bytes.FieldsSeq(text) {
			child, err := strconv.Atoi(string(field))
			if err != nil {
				return nil, err
			}
			all = append(all, child)
		}
	}
	return all, nil
}

func threads(pid int) ([]int, error) { return numbers(procPath(pid, "task")) }

// numbers lists the entries of a directory of /proc that are numbers.
func numbers(dir string) ([]int, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	list := make([]int, 0, len(names))
	for _, name := range names {
		if n, err := strconv.Atoi(name); err == nil {
			list = append(list, n)
		}
	}
	return list, nil
}

// isGoneError tells that a process or thread ended while it was looked at.
func isGoneError(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}
