package worker

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// Program is the executable file of a command, kept open so that the same one can
// be started again after another was put in its place: by a rename, by removing it
// and making a new one, by a symbolic link that leads elsewhere. It may be used
// from several goroutines.
//
// What cannot be kept: a script, because its interpreter opens it by its path; the
// libraries of a program; the content of a file that is overwritten in place
// (`cp new old`, which the kernel allows while no process runs it). Package managers
// and deployment tools replace files.
type Program struct {
	path  string // absolute if Dir or the path is, for messages and for looking
	known fileState

	mu sync.Mutex
	fd int // O_PATH; -1 when it is not kept, or closed
}

// fileState tells files, and their contents, apart. The time of the last change of
// the inode is not in it: a link, a backup or a chmod(1) would look like a new
// content.
type fileState struct {
	dev, ino uint64
	size     int64
	modified unix.Timespec
}

// Keep finds the program of a command, as a start with this argv, env and dir would,
// and keeps it if it is an ELF file. A Program that cannot be kept still knows
// whether it has Changed. The error is an *ExecError.
func Keep(argv, env []string, dir string) (*Program, error) {
	path, err := lookPath(argv, env, dir)
	if err != nil {
		return nil, err
	}
	p := &Program{path: inDir(path, dir), fd: -1}
	fd, err := open(p.path, unix.O_PATH)
	if err != nil {
		return nil, &ExecError{Path: path, Stage: StageLookup, Err: err}
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		_ = unix.Close(fd)
		return nil, &ExecError{Path: path, Stage: StageLookup, Err: err}
	}
	p.known = stateOf(&st)
	if st.Mode&unix.S_IFMT != unix.S_IFREG || !isBinary(fd) {
		_ = unix.Close(fd)
		return p, nil
	}
	p.fd = fd
	return p, nil
}

// Close lets the file go. A start that comes later takes what its path leads to.
func (p *Program) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	fd := p.fd
	if p.fd = -1; fd < 0 {
		return nil
	}
	if err := unix.Close(fd); err != nil {
		return fmt.Errorf("cannot close %s: %w", p.path, err)
	}
	return nil
}

// Changed tells whether the path leads to another file than the one that was kept,
// or to the same with another content, or to none.
func (p *Program) Changed() (bool, error) {
	now, err := stateAt(p.path)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("cannot look at %s: %w", p.path, err)
	}
	return now != p.known, nil
}

// instead gives a descriptor to execute in place of what is at path: if there is
// another file by now, or none. It is the caller's to close; -1 means that the path
// is as good.
func (p *Program) instead(path string) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fd < 0 {
		return -1, nil
	}
	if now, err := stateAt(path); path != "" && err == nil && now.dev == p.known.dev && now.ino == p.known.ino {
		return -1, nil
	}
	return unix.FcntlInt(uintptr(p.fd), unix.F_DUPFD_CLOEXEC, 0)
}

func stateAt(path string) (fileState, error) {
	var st unix.Stat_t
	for {
		err := unix.Stat(path, &st)
		if !errors.Is(err, unix.EINTR) {
			return stateOf(&st), err
		}
	}
}

func stateOf(st *unix.Stat_t) fileState {
	//nolint:unconvert // mips has a smaller type
	return fileState{dev: uint64(st.Dev), ino: st.Ino, size: st.Size, modified: st.Mtim}
}

// isBinary tells an ELF file by its first bytes. One that may be executed but not
// read is no script: the interpreter could not read it either.
func isBinary(fd int) bool {
	file, err := open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_RDONLY)
	if err != nil {
		return errors.Is(err, unix.EACCES)
	}
	defer unix.Close(file)
	var magic [4]byte
	n, err := unix.Read(file, magic[:])
	return err == nil && string(magic[:n]) == "\x7fELF"
}

func open(path string, how int) (int, error) {
	for {
		fd, err := unix.Open(path, how|unix.O_CLOEXEC, 0)
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}

// inDir is a path as seen from here that a process in dir would use.
func inDir(path, dir string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
