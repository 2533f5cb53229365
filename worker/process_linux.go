package worker

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Process is a started worker: the leader of its own process group.
type Process struct {
	pid     int
	pidfd   int // -1 on kernels without pidfds (before 5.3)
	started time.Time

	onExit func(Exit)
	onGone func()
	group  Group // nil if it has none of its own
	// recheckLater asks the reaper to look whether the group still exists.
	recheckLater func()

	// mu is held over every kill and over the reaping: between the two a number
	// could change its owner.
	mu    sync.Mutex
	phase phase

	calls calls
}

// phase is how much of a process group is left.
type phase uint8

const (
	phaseRunning phase = iota // the leader has not been reaped
	phaseRemains              // the leader has, members of its group live; with a control group the number may be anybody's
	phaseGone                 // nobody is left; the number may be anybody's
)

// PID is the process id, which is also that of the process group. It must not be
// used for signals: that is what Signal and SignalGroup are for.
func (p *Process) PID() int { return p.pid }

// Started is the moment of the fork.
func (p *Process) Started() time.Time { return p.started }

// Describe lends a pidfd of the process for the time of a call; it is -1 if it was reaped.
func (p *Process) Describe(use func(pidfd int)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	use(p.pidfd)
}

// Signal sends sig to the worker itself. It returns an error that wraps
// os.ErrProcessDone once the worker has been reaped; until then a dead worker
// swallows signals without error, as kill(2) has it.
func (p *Process) Signal(sig syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase != phaseRunning {
		return p.cannotSignal(sig, os.ErrProcessDone)
	}
	if err := p.kill(sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return p.cannotSignal(sig, err)
	}
	return nil // ESRCH: dead, and about to be reaped
}

func (p *Process) kill(sig syscall.Signal) error {
	if p.pidfd >= 0 {
		err := unix.PidfdSendSignal(p.pidfd, sig, nil, 0)
		if !errors.Is(err, syscall.ENOSYS) {
			return err
		}
	}
	// Unreaped and locked: the number is still this process's own.
	return syscall.Kill(p.pid, sig)
}

// SignalGroup sends sig to every process of the worker's group, also after the
// worker itself has ended and left some. It returns an error that wraps
// os.ErrProcessDone when nobody is left.
func (p *Process) SignalGroup(sig syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase == phaseGone {
		return p.cannotSignal(sig, os.ErrProcessDone)
	}
	if p.group != nil {
		return p.signalMembersLocked(sig)
	}
	err := syscall.Kill(-p.pid, sig)
	if errors.Is(err, syscall.ESRCH) {
		// The last member was reaped by somebody else than us, so that nobody
		// told. OnGone is the reaper's to call: the caller may be the very loop
		// that waits for it.
		p.recheckLater()
		err = os.ErrProcessDone
	}
	if err != nil {
		return p.cannotSignal(sig, err)
	}
	return nil
}

// SignalStrays sends sig to the processes of the worker's control group that have left its process group, as daemons do:
// a worker that was told something tells its own, but knows nothing of those. Without a control group nobody does.
func (p *Process) SignalStrays(sig syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.group == nil || p.phase == phaseGone {
		return nil
	}
	if err := p.group.Signal(sig, p.pid); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return p.cannotSignal(sig, err)
	}
	return nil
}

// signalMembersLocked signals everybody in the control group. Somebody with the right to do so may have taken the leader
// out of it, together with what it started: those are killed by the process group as well, whose number is the leader's
// own until it is reaped. cgroup.kill asks for no right over a process, so that others may fail without any harm.
func (p *Process) signalMembersLocked(sig syscall.Signal) error {
	err := p.group.Signal(sig, 0)
	empty := errors.Is(err, os.ErrProcessDone)
	if p.phase == phaseRunning && (empty || sig == syscall.SIGKILL) {
		leader := p.kill(sig)
		if sig == syscall.SIGKILL {
			_ = syscall.Kill(-p.pid, sig)
		}
		if empty {
			err = leader
		}
	}
	if err != nil {
		return p.cannotSignal(sig, err)
	}
	return nil
}

func (p *Process) cannotSignal(sig syscall.Signal, err error) error {
	return fmt.Errorf("cannot send %s to process %d: %w", SignalName(sig), p.pid, err)
}

// exitedLocked takes note that the leader was reaped.
func (p *Process) exitedLocked(e Exit) {
	p.phase = phaseRemains
	e.Remains = p.othersLiveLocked()
	if p.pidfd >= 0 {
		_ = syscall.Close(p.pidfd)
		p.pidfd = -1
	}
	if p.onExit != nil {
		p.calls.add(func() { p.onExit(e) })
	}
	if !e.Remains {
		p.goneLocked()
	}
}

// goneLocked forgets the group at once: an empty group's number is free.
func (p *Process) goneLocked() {
	p.phase = phaseGone
	if p.group != nil {
		p.calls.add(p.group.Remove)
	}
	if p.onGone != nil {
		p.calls.add(p.onGone)
	}
}

// othersLiveLocked reports whether a leader that was reaped left somebody behind.
func (p *Process) othersLiveLocked() bool {
	if p.group != nil {
		return !p.group.Empty()
	}
	return groupExists(p.pid)
}

// recheck notices that a group has become empty; it tells whether it has.
func (p *Process) recheck() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase == phaseRemains && !p.othersLiveLocked() {
		p.goneLocked()
	}
	return p.phase == phaseGone
}

// groupExists also counts members that are dead but not reaped. They are the
// children of somebody who will reap them; mostly of the subreaper that asks.
func groupExists(pgid int) bool {
	return !errors.Is(syscall.Kill(-pgid, 0), syscall.ESRCH)
}
