package logs

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// logFile is what the kernel knows of an open file.
type logFile struct {
	size  int64
	links uint64 // 0: it was removed
	born  time.Time
}

var errNoFile = errors.New("it is no regular file")

// openLog opens a file to append to. It follows no symbolic link at the end of the path, which somebody who may write in the
// directory could have laid.
func openLog(path string) (int, logFile, error) {
	const flags = unix.O_WRONLY | unix.O_APPEND | unix.O_CREAT | unix.O_CLOEXEC | unix.O_NOFOLLOW | unix.O_NOCTTY | unix.O_NONBLOCK
	fd, err := retry(func() (int, error) { return unix.Open(path, flags, 0o640) })
	if err != nil {
		return -1, logFile{}, &os.PathError{Op: "open", Path: path, Err: err}
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		err = errNoFile
	}
	if err != nil {
		closeFD(fd)
		return -1, logFile{}, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, logFile{size: st.Size, links: st.Nlink, born: birth(fd)}, nil
}

// checkLog makes sure of a descriptor that another program left.
func checkLog(fd int) (logFile, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return logFile{}, fmt.Errorf("cannot take descriptor %d: %w", fd, err)
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return logFile{}, fmt.Errorf("cannot take descriptor %d: %w", fd, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || flags&unix.O_ACCMODE != unix.O_WRONLY || flags&unix.O_APPEND == 0 {
		return logFile{}, fmt.Errorf("cannot take descriptor %d: %w", fd, errNoFile)
	}
	unix.CloseOnExec(fd)
	return logFile{size: st.Size, links: st.Nlink}, nil
}

// birth is when a file was made, as far as its file system knows: ages count on over a restart.
func birth(fd int) time.Time {
	var st unix.Statx_t
	err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_BTIME, &st)
	if err != nil || st.Mask&unix.STATX_BTIME == 0 {
		return time.Now()
	}
	return time.Unix(st.Btime.Sec, int64(st.Btime.Nsec))
}

// statLog looks at a file. One that cannot be looked at any more is as good as removed.
func statLog(fd int) logFile {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return logFile{}
	}
	return logFile{size: st.Size, links: st.Nlink}
}

func truncateLog(fd int, size int64) error {
	if err := unix.Ftruncate(fd, size); err != nil {
		return fmt.Errorf("cannot truncate log file: %w", err)
	}
	return nil
}

// sameLog says whether a path leads to an open file.
func sameLog(fd int, path string) bool {
	var a, b unix.Stat_t
	return unix.Fstat(fd, &a) == nil && unix.Lstat(path, &b) == nil && a.Dev == b.Dev && a.Ino == b.Ino
}

func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// beNice has the goroutine's thread give way to all others. The thread ends with the goroutine.
func beNice() {
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), 19) // what it does is done either way
}
