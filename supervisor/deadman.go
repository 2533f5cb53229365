package supervisor

import (
	"sync/atomic"
	"time"

	"github.com/broodctl/brood/internal/deadman"
	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/worker"
)

// Deadman is the way to a process that kills workers whose claims end when we do not come to it; see deadman.Line. An error
// says that the process has to be replaced.
type Deadman interface {
	Theirs() int
	Started()
	Ours() int
	Lend() (int, error)
	Deadline(session int64, at time.Duration) error
	Watch(token uint64, pid int, of deadman.Sessions, process, group int) error
	Forget(token uint64) error
	Flush()
	Dismiss()
	Close()
}

// guard is what we have of our deadman. It is begun when there is a session that ends, and again when it has died.
type guard struct {
	way    atomic.Pointer[wayTo] // nil if there is none; changed by the loop alone
	proc   Process               // nil until it runs
	serial uint64                // of the process at hand: news of an earlier one is late
	token  uint64                // the last one that a worker was given
	begun  time.Time
	ended  chan struct{} // closed when the process has ended
	why    error         // why there is none
	past   Deadman       // one of another version, that is needed until ours runs
}

type wayTo struct{ Deadman }

const (
	// The deadman kills when half of the time is over that we have for it ourselves.
	guardShare = 2 * killShare
	guardTime  = killTime / 2
	// deadmanLives is how long one has lived that is replaced at once: after another the next renewal of the session is
	// soon enough.
	deadmanLives = 10 * time.Second
)

// killAt is when the workers of a session are dead at the latest, by us or by the deadman.
func (s *Supervisor) killAt(session lease.Session) time.Duration {
	left := session.Deadline - s.cfg.World.Places.Clock.Now()
	return session.Deadline - min(left/guardShare, guardTime)
}

// ends reports whether claims of a session end by themselves.
func ends(session lease.Session) bool { return session.ID != 0 && session.Deadline != lease.Never }

// putOff tells the deadman of the end of a session, from any goroutine: a loop that hangs is no reason to kill anybody whose
// claims are renewed.
func (s *Supervisor) putOff(session lease.Session) {
	if way := s.guard.way.Load(); way != nil && ends(session) {
		s.distrust(way, way.Deadline(int64(session.ID), s.killAt(session)))
	}
}

// distrust has a deadman replaced that does not listen.
func (s *Supervisor) distrust(way *wayTo, err error) {
	if err != nil {
		s.mail.post(unheard{way: way, err: err})
	}
}

// arm sees to it that there is a deadman, and that it knows of a session.
func (s *Supervisor) arm(session lease.Session) {
	if !ends(session) || s.cfg.World.Deadman == nil {
		return
	}
	switch {
	case s.guard.way.Load() != nil:
		s.putOff(session)
	case !s.holdsLaunches(): // or the next program begins one, or the next renewal does
		s.beginDeadman()
	}
}

// beginDeadman starts one. It is told everything at once: what is said before it runs is not lost.
func (s *Supervisor) beginDeadman() {
	g := &s.guard
	g.serial++
	serial := g.serial
	line, err := s.cfg.World.Deadman(s.hearDeadman)
	if err != nil {
		s.noDeadman(err)
		return
	}
	way, gone := &wayTo{line}, make(chan struct{})
	g.begun, g.ended, g.proc = time.Now(), gone, nil
	g.way.Store(way)
	cmd := worker.Command{
		Path: deadman.Program, Argv: deadman.Argv(s.cfg.Name), Env: deadman.Environ(), Dir: "/", Files: []int{line.Theirs()},
		Session: true, Orphans: worker.OrphanKeep, Stdin: worker.DevNull, Stdout: worker.DevNull, Stderr: worker.DevNull,
		OnExit: s.deadmanEnds(serial, gone),
	}
	s.cfg.World.Launch(cmd, func(proc Process, err error) {
		line.Started()
		s.mail.post(deadmanBegun{serial: serial, proc: proc, err: err})
	})
	s.putOff(s.tenure.session)
	for _, p := range s.pools {
		for _, rec := range p.workers {
			p.report(rec)
		}
	}
}

func (s *Supervisor) deadmanEnds(serial uint64, gone chan struct{}) func(worker.Exit) {
	return func(e worker.Exit) {
		close(gone)
		s.mail.post(deadmanGone{serial: serial, exit: e})
	}
}
