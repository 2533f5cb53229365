package worker

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// HandedProcess is a process as the program that replaces this one has to know it: see Spawner.Adopt. Its fields are for
// encoding.
type HandedProcess struct {
	PID int
	// Began is the moment of the fork in nanoseconds of CLOCK_BOOTTIME, which goes on while programs change and machines
	// sleep.
	Began int64
	// Reaped tells that the process itself has ended, and was told; members of its group live on.
	Reaped bool
	// Grouped tells that it was born in a control group of its own.
	Grouped bool
}

// Descriptors are none: the next program opens its own.
func (h *HandedProcess) Descriptors() []*int { return nil }

// Hand describes the process to the program that replaces this one. It is true as long as Still lasts.
func (p *Process) Hand() HandedProcess {
	p.mu.Lock()
	defer p.mu.Unlock()
	return HandedProcess{
		PID: p.pid, Began: BootTime() - int64(time.Since(p.started)),
		Reaped: p.phase != phaseRunning, Grouped: p.group != nil,
	}
}

// Adopted is what is to become of a process that runs already.
type Adopted struct {
	// OnExit and OnGone are those of a Command; OnExit is not called for a process that was reaped before.
	OnExit func(Exit)
	OnGone func()
	// Group is the control group that it was born in; nil if there is none any more.
	Group Group
}

var errTooLate = errors.New("the spawner has begun to reap")

// Adopt takes over a process that the program before us has started, under the same process id. It is called before Main,
// which then tells as ever what has ended in between: nothing is called back before Main runs.
//
// It fails for what is not our child, so that no signal reaches a stranger.
func (s *Spawner) Adopt(h HandedProcess, a Adopted) (*Process, error) {
	p, err := s.adopt(h, a)
	if err != nil {
		return nil, fmt.Errorf("cannot adopt process %d: %w", h.PID, err)
	}
	return p, nil
}

func (s *Spawner) adopt(h HandedProcess, a Adopted) (*Process, error) {
	p := &Process{
		pid: h.PID, pidfd: -1, started: time.Now().Add(-time.Duration(BootTime() - h.Began)),
		onExit: a.OnExit, onGone: a.OnGone, group: a.Group,
		recheckLater: func() { poke(s.recheck) },
	}
	if h.Reaped {
		p.phase = phaseRemains
	}
	st := &start{process: p, status: -1, ran: true, group: a.Group}
	if err := s.table.adopt(st, h); err != nil {
		return nil, err
	}
	if a.Group != nil {
		a.Group.Watch(func() { s.emptied(st) })
	}
	return p, nil
}

// adopt makes the process of a start known.
func (t *table) adopt(st *start, h HandedProcess) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := st.process
	switch {
	case t.begun:
		return errTooLate
	case h.PID <= 1 || t.leaders[h.PID] != nil || t.remaining[h.PID] != nil:
		return unix.EINVAL
	case !h.Reaped:
		err := p.reopen()
		if err == nil {
			t.leaders[h.PID] = st
		}
		return err
	case !h.Grouped:
		t.remaining[h.PID] = p
		return nil
	case p.group == nil: // nobody knows who is left, and the number may be anybody's
		p.goneLocked()
	}
	t.adopted = append(t.adopted, p)
	return nil
}

// reopen makes sure that the number is that of a child, which nobody else can have as long as it was not reaped.
func (p *Process) reopen() error {
	if err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil); err != nil {
		return err
	}
	fd, err := unix.PidfdOpen(p.pid, 0)
	if errors.Is(err, unix.ENOSYS) {
		return nil
	}
	if err == nil {
		p.pidfd = fd
	}
	return err
}

// recheckAdopted tells what has become empty while nobody watched.
func (s *Spawner) recheckAdopted() {
	s.table.mu.Lock()
	all := s.table.adopted
	s.table.adopted = nil
	s.table.mu.Unlock()
	for _, p := range all {
		p.recheck()
		p.calls.run()
	}
}

// BootTime is CLOCK_BOOTTIME in nanoseconds: it means the same to every program of this machine; see clock_gettime(2).
func BootTime() int64 {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) // there since Linux 2.6.39
	return now.Nano()
}
