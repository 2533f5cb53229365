package worker

import (
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
	as      *Identity
	limits  []Limit
	set     Settings
	group   Group // that it is born in, if it is
	kept    bool  // it is not at path any more
	direct  bool  // without the shim: it runs, or there is no start
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
	if st.direct {
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
	s.limitOpenFiles(&r.cmd)
	path, err := r.cmd.path()
	kept := -1
	if program := r.cmd.Program; program != nil {
		path, kept, err = program.orKept(path, r.cmd.Dir, err)
	}
	if err != nil {
		return nil, err
	}
	if kept >= 0 {
		defer syscall.Close(kept)
	}
	st := &start{path: path, dir: r.cmd.Dir, limits: r.cmd.Limits, set: r.cmd.Settings, kept: kept >= 0, done: r.done, status: -1}
	group, err := s.makeGroup(st, r.cmd.Group)
	if err != nil {
		return nil, &ExecError{Path: path, Stage: StageFork, Err: err}
	}
	if group >= 0 {
		defer syscall.Close(group)
	}
	if err = s.forkAs(st, r.cmd, kept, group); err != nil && st.group != nil {
		st.group.Remove()
	}
	return st, err
}

// makeGroup makes the control group that a process is to be born in. Without one it returns -1.
func (s *Spawner) makeGroup(st *start, group Group) (int, error) {
	if group == nil {
		return -1, nil
	}
	fd, err := group.Make(func() { s.emptied(st) })
	if err != nil || fd < 0 {
		return -1, err
	}
	st.group = group
	return fd, nil
}

// forkAs forks what is to become the program, or the shim for it.
func (s *Spawner) forkAs(st *start, cmd Command, kept, group int) error {
	if !cmd.As.isOurs() {
		st.as = cmd.As
	}
	if err := cmd.PrivateTmp.Make(st.as); err != nil {
		return &ExecError{Path: st.path, Stage: StageTmp, Err: err, as: st.as}
	}
	pidfd := -1
	attr := &syscall.ProcAttr{
		Dir:   cmd.Dir,
		Env:   cmd.Env,
		Files: s.files(cmd),
		Sys:   &syscall.SysProcAttr{Setpgid: !cmd.Session, Setsid: cmd.Session, Pdeathsig: cmd.Orphans.signal(), PidFD: &pidfd},
	}
	if group >= 0 {
		attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = true, group
	}
	st.direct = !cmd.ListenPID && cmd.Umask == nil && len(cmd.Limits) == 0 && cmd.Settings.areNone() && st.as == nil && !st.kept && cmd.Deadman == nil
	if st.direct {
		return s.forkInto(st, cmd, st.path, cmd.Argv, attr)
	}

	var status [2]int
	if err := syscall.Pipe2(status[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		return &ExecError{Path: st.path, Stage: StageFork, Err: err}
	}
	defer syscall.Close(status[1])
	orders := ordersOf(cmd, st.as, attr)
	orders.Status = len(attr.Files)
	attr.Files = append(attr.Files, uintptr(status[1]))
	if st.kept {
		orders.Program, orders.Execveat = len(attr.Files), unix.SYS_EXECVEAT
		attr.Files = append(attr.Files, uintptr(kept))
	}
	if d := cmd.Deadman; d != nil {
		orders.Watch.Socket = len(attr.Files)
		attr.Files = append(attr.Files, uintptr(d.Socket))
	}
	attr.Env = append(shim.Environ(), cmd.Env...)
	st.status = status[0]
	err := s.forkInto(st, cmd, s.shim, orders.Argv(st.path, cmd.Argv), attr)
	if err != nil {
		_ = syscall.Close(status[0])
	}
	return err
}

// files are the descriptors of the process, in order.
func (s *Spawner) files(cmd Command) []uintptr {
	files := make([]uintptr, 0, 3+len(cmd.Files)+2)
	for _, fd := range [...]int{cmd.Stdin, cmd.Stdout, cmd.Stderr} {
		if fd == DevNull {
			fd = s.null
		}
		files = append(files, uintptr(fd))
	}
	for _, fd := range cmd.Files {
		files = append(files, uintptr(fd))
	}
	return files
}

// forkInto forks and registers under one lock, so that the reaper never meets a
// child of ours that it does not know.
func (s *Spawner) forkInto(st *start, cmd Command, program string, argv []string, attr *syscall.ProcAttr) error {
	s.table.mu.Lock()
	defer s.table.mu.Unlock()
	begun := time.Now()
	pid, err := syscall.ForkExec(program, argv, attr)
	if err != nil {
		return forkError(err, program, st.path, cmd.Dir)
	}
	p := &Process{
		pid:          pid,
		pidfd:        *attr.Sys.PidFD,
		started:      begun,
		onExit:       cmd.OnExit,
		onGone:       cmd.OnGone,
		group:        st.group,
		recheckLater: func() { poke(s.recheck) },
	}
	st.process = p
	s.table.leaders[pid] = st
	if st.direct {
		st.ran = true
		took := time.Since(begun)
		p.calls.add(func() { st.done(StartResult{Process: p, Took: took}) })
	}
	return nil
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
	if err := st.failure(shim.ParseStatus(string(text[:n]))); err != nil {
		result.Err = err
	} else {
		result.Process, st.ran = st.process, true
	}
	st.process.calls.add(func() { st.done(result) })
}
