package worker

import (
	"errors"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/worker/shim"
)

// ordersOf says what the exec shim has to do for a command. It takes the directory
// out of attr where the user has to enter it, and not we: to root it may be closed,
// as on NFS, and what is closed to the user must not be entered for it.
//
// The user is changed by the shim, and not by the fork, which could do it as well:
// the shim's file need not be open to the user, it can raise limits before and drop
// ambient capabilities after, and it tells which step failed.
func ordersOf(cmd Command, as *Identity, attr *syscall.ProcAttr) shim.Orders {
	orders := shim.Orders{Umask: cmd.Umask, Settings: cmd.Settings.orders()}
	for _, l := range cmd.Limits {
		orders.Limits = append(orders.Limits, shim.Limit(l))
	}
	if d := cmd.Deadman; d != nil {
		orders.Watch = shim.Watch{Token: d.Token, Sessions: [2]uint64{uint64(d.Sessions[0]), uint64(d.Sessions[1])}, Until: uint64(d.Until)}
	}
	if as != nil {
		orders.As = &shim.Identity{UID: as.UID, GID: as.GID, Groups: as.Groups}
		orders.Death = cmd.Orphans.signal()
		orders.Dir, attr.Dir = attr.Dir, ""
	}
	return orders
}

// isOurs tells whether the supervisor is that user already, so that nothing has to
// be changed, and no right to change it is needed. Groups that it has besides can
// only be taken away by root.
func (id *Identity) isOurs() bool {
	if id == nil {
		return true
	}
	uid, euid, suid := unix.Getresuid()
	gid, egid, sgid := unix.Getresgid()
	for _, n := range [...]int{uid, euid, suid} {
		if n != int(id.UID) {
			return false
		}
	}
	for _, n := range [...]int{gid, egid, sgid} {
		if n != int(id.GID) {
			return false
		}
	}
	have, err := unix.Getgroups()
	if err != nil {
		return false
	}
	for _, want := range id.Groups {
		if want != id.GID && !slices.Contains(have, int(want)) {
			return false
		}
	}
	surplus := func(gid int) bool { return !slices.Contains(id.Groups, uint32(gid)) && uint32(gid) != id.GID }
	return os.Geteuid() != 0 || !slices.ContainsFunc(have, surplus)
}

// path is what to execute, as far as it is known by now.
func (cmd *Command) path() (string, error) {
	if cmd.Path != "" {
		return cmd.Path, nil
	}
	return lookPath(cmd.Argv, cmd.Env, cmd.Dir)
}

// orKept decides what to execute: what the command's path leads to (as lookPath found
// it, or did not), or the kept file, by a descriptor that the caller closes.
func (p *Program) orKept(path, dir string, notFound error) (string, int, error) {
	look := ""
	if notFound == nil {
		look = inDir(path, dir)
	}
	fd, err := p.instead(look)
	switch {
	case err != nil:
		return "", -1, &ExecError{Path: p.path, Stage: StageFork, Err: err}
	case fd < 0:
		return path, -1, notFound
	}
	return p.path, fd, nil
}

// failure says why the program of a start through the shim never ran; nil if it does.
func (st *start) failure(s shim.Status) error {
	e := &ExecError{Path: st.path, Err: s.Errno, as: st.as}
	switch s.Stage {
	case shim.StageNone:
		e.Stage, e.Err = StageShim, errShimDied
	case shim.StagePrepare:
		e.Stage = StageShim
	case shim.StageLimit, shim.StageNice, shim.StageIOPriority, shim.StageOOMScore, shim.StageCPUs,
		shim.StageBound, shim.StageCapability, shim.StageNoNewPrivs:
		e.Stage, e.setting = st.refused(s)
	case shim.StageIdentity:
		e.Stage = StageIdentity
	case shim.StageDir:
		e.Stage = StageDir
	case shim.StageDeadman:
		e.Stage = StageDeadman
	case shim.StageExec:
		if s.Errno == 0 {
			return nil
		}
		if e.Stage = StageExec; !st.kept {
			e.Stage = execStage(s.Errno, st.path, st.dir)
		}
	}
	return e
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
