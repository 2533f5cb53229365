package worker

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// defaultPath is searched when the worker's environment has no PATH: a program
// should not stop being found because its environment was cleaned.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// lookPath finds the program as a worker in dir with env would, by the rules of
// execvp(3). What it returns is to be executed after the change to dir.
func lookPath(argv, env []string, dir string) (string, error) {
	if len(argv) == 0 || argv[0] == "" {
		return "", &ExecError{Path: `""`, Stage: StageLookup, Err: syscall.ENOENT}
	}
	name := argv[0]
	if strings.Contains(name, "/") {
		// Execution itself will tell more than a look beforehand.
		return name, nil
	}
	search := defaultPath
	for _, v := range env {
		if value, ok := strings.CutPrefix(v, "PATH="); ok {
			search = value
			break
		}
	}
	// A file without permission is skipped but remembered: "permission denied"
	// helps more than "not found".
	worst := syscall.ENOENT
	for folder := range strings.SplitSeq(search, ":") {
		path := filepath.Join(folder, name)
		if !strings.Contains(path, "/") {
			path = "./" + path
		}
		switch errno := executable(path, dir); errno {
		case 0:
			return path, nil
		case syscall.EACCES:
			worst = errno
		}
	}
	return "", &ExecError{Path: name, Stage: StageLookup, Err: worst}
}

func executable(path, dir string) syscall.Errno {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		if errors.Is(err, unix.EACCES) {
			return syscall.EACCES
		}
		return syscall.ENOENT
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || unix.Access(path, unix.X_OK) != nil {
		return syscall.EACCES
	}
	return 0
}

// execStage tells apart why execve(2) may have said ENOENT: the program is not there, or what it needs in order to run.
func execStage(errno syscall.Errno, path, dir string) Stage {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	var st unix.Stat_t
	if errno == syscall.ENOENT && errors.Is(unix.Stat(path, &st), unix.ENOENT) {
		return StageLookup
	}
	return StageExec
}
