package shim

import (
	"syscall"
	"unsafe"
)

// perform carries out the orders. On failure it returns the status to tell.
func (o Orders) perform() (Status, bool) {
	if err := o.Watch.report(); err != nil { // while there are descriptors to be had
		return Status{Stage: StageDeadman, Errno: errnoOf(err)}, false
	}
	if o.Umask != nil {
		syscall.Umask(int(*o.Umask))
	}
	// As long as we may: the user will hardly have the right to raise a limit.
	for _, l := range o.Limits {
		limit := syscall.Rlimit{Cur: l.Soft, Max: l.Hard}
		if err := syscall.Setrlimit(l.Resource, &limit); err != nil {
			return Status{Stage: StageLimit, Errno: errnoOf(err), Resource: l.Resource}, false
		}
	}
	if stage, err := o.schedule(); err != nil {
		return Status{Stage: stage, Errno: errnoOf(err)}, false
	}
	if err := o.bound(); err != nil {
		return Status{Stage: StageBound, Errno: errnoOf(err)}, false
	}
	if o.As != nil {
		if err := o.become(); err != nil {
			return Status{Stage: StageIdentity, Errno: errnoOf(err)}, false
		}
	}
	if o.Dir != "" {
		if err := syscall.Chdir(o.Dir); err != nil {
			return Status{Stage: StageDir, Errno: errnoOf(err)}, false
		}
	}
	if n, err := o.keep(); err != nil {
		return Status{Stage: StageCapability, Errno: errnoOf(err), Resource: n}, false
	}
	if err := o.restrict(); err != nil {
		return Status{Stage: StageNoNewPrivs, Errno: errnoOf(err)}, false
	}
	if err := o.Watch.check(); err != nil {
		return Status{Stage: StageDeadman, Errno: errnoOf(err)}, false
	}
	return Status{}, true
}

// become changes the user. Ambient capabilities would survive between two users
// of whom none is root: a supervisor's power over users is not its workers'.
func (o Orders) become() error {
	parent := syscall.Getppid()
	groups := make([]int, len(o.As.Groups))
	for i, gid := range o.As.Groups {
		groups[i] = int(gid)
	}
	if err := syscall.Setgroups(groups); err != nil {
		return err
	}
	gid, uid := int(o.As.GID), int(o.As.UID)
	if err := syscall.Setresgid(gid, gid, gid); err != nil {
		return err
	}
	if err := syscall.Setresuid(uid, uid, uid); err != nil {
		return err
	}
	_, err := prctl(prCapAmbient, prCapAmbientClearAll, 0)
	if err != nil && err != syscall.EINVAL { // EINVAL: before Linux 4.3 there were none
		return err
	}
	if o.Death == 0 {
		return nil
	}
	if _, err := prctl(syscall.PR_SET_PDEATHSIG, uintptr(o.Death), 0); err != nil {
		return err
	}
	if syscall.Getppid() != parent { // it died in between, and nobody told
		return syscall.Kill(syscall.Getpid(), o.Death)
	}
	return nil
}

// execution returns the function that executes the program; it returns only on
// failure. With limits all memory is allocated before they can be in the way, and
// the call is made raw. What syscall.Exec guards against besides, a thread that is
// created meanwhile, cannot be: whoever creates one needs the only P, and the
// caller has it.
func (o Orders) execution(path string, argv, env []string) (func() error, error) {
	if o.Program == 0 && len(o.Limits) == 0 {
		return func() error { return syscall.Exec(path, argv, env) }, nil
	}
	i := image{dir: o.Program, execveat: o.Execveat}
	if i.dir != 0 {
		syscall.CloseOnExec(i.dir)
		path = ""
	}
	var err error
	if i.path, err = syscall.BytePtrFromString(path); err != nil {
		return nil, err
	}
	if i.argv, err = syscall.SlicePtrFromStrings(argv); err != nil {
		return nil, err
	}
	if i.env, err = syscall.SlicePtrFromStrings(env); err != nil {
		return nil, err
	}
	// Package syscall has raised the soft limit of open files for its own process,
	// and remembers the original one for its Exec alone. Of nothing it fails, but
	// only after that.
	_ = syscall.Exec("", []string{""}, nil)
	return i.execute, nil
}

// image is a call of execve(2), or of execveat(2) if there is a dir.
type image struct {
	path          *byte
	argv, env     []*byte
	dir, execveat int
}

func (i *image) execute() error {
	path, argv, env := unsafe.Pointer(i.path), unsafe.Pointer(&i.argv[0]), unsafe.Pointer(&i.env[0])
	if i.dir == 0 {
		_, _, errno := syscall.RawSyscall(syscall.SYS_EXECVE, uintptr(path), uintptr(argv), uintptr(env))
		return errno
	}
	const emptyPath = 0x1000 // AT_EMPTY_PATH: the descriptor itself
	_, _, errno := syscall.RawSyscall6(uintptr(i.execveat), uintptr(i.dir), uintptr(path), uintptr(argv), uintptr(env), emptyPath, 0)
	return errno
}
