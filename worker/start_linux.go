package worker

import (
	"errors"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/worker/shim"
)

// start is a process on its way from the fork to its program, and from there on
// what the reaper knows about it.
type start struct {
	process *Process
	path    string
	dir     string // that path is relative to
	done    func(StartResult)

	// status is the read end of the shim's status pipe, -1 once the outcome is
	// known. Guarded by mu.
	mu     sync.Mutex
	status int
	ran    bool
}

// start forks. It is the only place that does, on Main's thread.
func (s *Spawner) start(r request) {
	st, err := s.fork(r)
	if err != nil {
		r.done(StartResult{Err: err})
		return
	}
	if st.status < 0 {
		st.process.calls.run()
		return
	}
	// The reaper may have resolved it by now, so that this descriptor is closed:
	// adding it is guarded like every use of it.
	st.mu.Lock()
	if st.status >= 0 {
		err = s.poller.AddHangup(st.status, func() { s.resolve(st) })
	}
	st.mu.Unlock()
	if err != nil {
		// Without news of its end this start would hang for ever. Dead, it is
		// resolved by the reaper.
		_ = syscall.Kill(st.process.pid, syscall.SIGKILL)
	}
}

func (s *Spawner) fork(r request) (*start, error) {
	path, err := lookPath(r.cmd.Argv, r.cmd.Env, r.cmd.Dir)
	if err != nil {
		return nil, err
	}
	files := make([]uintptr, 0, 3+len(r.cmd.Files)+1)
	for _, fd := range [...]int{r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr} {
		if fd == DevNull {
			fd = s.null
		}
		files = append(files, uintptr(fd))
	}
	for _, fd := range r.cmd.Files {
		files = append(files, uintptr(fd))
	}
	pidfd := -1
	attr := &syscall.ProcAttr{
		Dir:   r.cmd.Dir,
		Env:   r.cmd.Env,
		Files: files,
		Sys:   &syscall.SysProcAttr{Setpgid: true, Pdeathsig: r.cmd.Orphans.signal(), PidFD: &pidfd},
	}
	if !r.cmd.ListenPID {
		return s.forkInto(r, path, path, r.cmd.Argv, attr, -1)
	}

	var status [2]int
	if err := syscall.Pipe2(status[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		return nil, &ExecError{Path: path, Stage: StageFork, Err: err}
	}
	defer syscall.Close(status[1])
	attr.Files = append(files, uintptr(status[1]))
	attr.Env = append(shim.Environ(), r.cmd.Env...)
	argv := append([]string{shim.Name, strconv.Itoa(len(files)), path}, r.cmd.Argv...)
	st, err := s.forkInto(r, s.shim, path, argv, attr, status[0])
	if err != nil {
		_ = syscall.Close(status[0])
	}
	return st, err
}

// forkInto forks and registers under one lock, so that the reaper never meets a
// child of ours that it does not know.
func (s *Spawner) forkInto(r request, program, path string, argv []string, attr *syscall.ProcAttr, status int) (*start, error) {
	s.table.mu.Lock()
	defer s.table.mu.Unlock()
	begun := time.Now()
	pid, err := syscall.ForkExec(program, argv, attr)
	if err != nil {
		return nil, forkError(err, program, path, r.cmd.Dir)
	}
	p := &Process{
		pid:          pid,
		pidfd:        *attr.Sys.PidFD,
		started:      begun,
		onExit:       r.cmd.OnExit,
		onGone:       r.cmd.OnGone,
		recheckLater: func() { poke(s.recheck) },
	}
	st := &start{process: p, path: path, dir: r.cmd.Dir, done: r.done, status: status}
	s.table.leaders[pid] = st
	if status < 0 {
		st.ran = true
		took := time.Since(begun)
		p.calls.add(func() { r.done(StartResult{Process: p, Took: took}) })
	}
	return st, nil
}

// resolve finds out how a start through the shim went, once its status pipe has
// hung up, and tells it. It is called by the poller and, when the process is
// already dead, by the reaper.
func (s *Spawner) resolve(st *start) {
	st.mu.Lock()
	defer st.process.calls.run()
	defer st.mu.Unlock()
	if st.status < 0 {
		return
	}
	var text [64]byte
	n, err := unix.Read(st.status, text[:])
	if err != nil {
		n = 0
	}
	_ = s.poller.Remove(st.status) // not added yet when the reaper was faster
	_ = syscall.Close(st.status)
	st.status = -1

	result := StartResult{Took: time.Since(st.process.started)}
	if err := parseStatus(string(text[:n]), st.path, st.dir); err != nil {
		result.Err = err
	} else {
		result.Process, st.ran = st.process, true
	}
	st.process.calls.add(func() { st.done(result) })
}

func parseStatus(text, path, dir string) error {
	stage, errno := shim.ParseStatus(text)
	switch stage {
	case shim.StageNone:
		return &ExecError{Path: path, Stage: StageShim, Err: errShimDied}
	case shim.StagePrepare:
		return &ExecError{Path: path, Stage: StageShim, Err: errno}
	case shim.StageExec:
		if errno != 0 {
			return &ExecError{Path: path, Stage: execStage(errno, path, dir), Err: errno}
		}
	}
	return nil
}

// forkError finds the stage at which ForkExec failed: chdir(2) and execve(2)
// give the same ENOENT, and what is wrong with the arguments is wrong for the
// shim before it is for the program.
func forkError(err error, program, path, dir string) error {
	stage := StageExec
	var errno syscall.Errno
	errors.As(err, &errno)
	switch errno {
	case syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE, syscall.EBADF:
		stage = StageFork
	case syscall.ENOENT, syscall.EACCES, syscall.ENOTDIR, syscall.ELOOP, syscall.ENAMETOOLONG:
		if !canEnter(dir) {
			stage = StageDir
		} else if program != path {
			stage = StageShim
		} else {
			stage = execStage(errno, path, dir)
		}
	}
	return &ExecError{Path: path, Stage: stage, Err: err}
}

func canEnter(dir string) bool {
	if dir == "" {
		return true
	}
	var st unix.Stat_t
	return unix.Stat(dir, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR && unix.Access(dir, unix.X_OK) == nil
}
