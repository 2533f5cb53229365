package inspect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Report is what was to be seen of a worker, each part with the reason if it was not.
type Report struct {
	Processes   []Process
	NoProcesses error
	Files       Files
	NoFiles     error
	Limits      []Limit
	NoLimits    error
	Environ     []Variable
	NoEnviron   error
}

// ErrForeign means that the pid is not that of the worker on this machine.
var ErrForeign = errors.New("it runs elsewhere: in another PID namespace, or on another machine")

// ErrGone means that the process is not there any more.
var ErrGone = errors.New("it is gone")

// Look reads everything about the worker with a pid, whose parent is the supervisor.
func Look(pid, supervisor int, secrets Secrets) Report {
	return proc("/proc").look(pid, supervisor, secrets)
}

// proc is where the kernel's files are.
type proc string

func (root proc) look(pid, supervisor int, secrets Secrets) Report {
	var r Report
	if err := root.belongs(pid, supervisor); err != nil {
		return Report{NoProcesses: err, NoFiles: err, NoLimits: err, NoEnviron: err}
	}
	r.Processes, r.NoProcesses = root.tree(pid, supervisor)
	r.Files, r.NoFiles = root.files(pid)
	r.Limits, r.NoLimits = root.limits(pid)
	r.Environ, r.NoEnviron = root.environ(pid, secrets)
	return r
}

// belongs fails for a process that is not the supervisor's child.
func (root proc) belongs(pid, supervisor int) error {
	s, err := root.stat(pid)
	if errors.Is(err, ErrGone) && root.there(supervisor) {
		return err
	}
	if errors.Is(err, ErrGone) || err == nil && s.parent != supervisor {
		return fmt.Errorf("process %d of supervisor %d: %w", pid, supervisor, ErrForeign)
	}
	return err
}

func (root proc) there(pid int) bool {
	_, err := os.Stat(root.path(pid, ""))
	return err == nil
}

func (root proc) path(pid int, name string) string {
	return filepath.Join(string(root), strconv.Itoa(pid), name)
}

// read reads a file of a process.
func (root proc) read(pid int, name string) ([]byte, error) {
	text, err := os.ReadFile(root.path(pid, name))
	return text, kind(err)
}

// kind makes ErrGone of what the kernel says about processes that ended.
func kind(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return ErrGone
	}
	return err
}
