package supervisor

import (
	"fmt"
	"syscall"
	"time"

	"github.com/broodctl/brood/internal/deadman"
)

// deadmanBegun takes note that it runs, or never will.
func (s *Supervisor) deadmanBegun(m deadmanBegun) {
	g := &s.guard
	if m.serial != g.serial {
		return
	}
	if m.err != nil {
		close(g.ended)
		s.dropDeadman()
		s.noDeadman(m.err)
		return
	}
	g.proc = m.proc
	if g.past != nil {
		g.past.Dismiss()
		g.past = nil
	}
	g.why = nil
	s.log.Info().Int(keyPID, m.proc.PID()).Msg("deadman started")
}

// noDeadman says once why there is none. The pools go on: whoever cannot be killed in time is still told, and killed, by us.
func (s *Supervisor) noDeadman(err error) {
	if s.guard.why == nil {
		s.log.Error().Err(err).Msg("there is no deadman: workers would outlive their claims if this process were stopped")
	}
	s.guard.why = err
}

func (s *Supervisor) dropDeadman() {
	if way := s.guard.way.Swap(nil); way != nil {
		way.Close()
	}
	s.guard.proc = nil
}

// deadmanGone starts another one.
func (s *Supervisor) deadmanGone(m deadmanGone) {
	g := &s.guard
	if m.serial != g.serial || g.way.Load() == nil {
		return
	}
	s.log.Warn().Stringer(keyExit, m.exit).Msg("deadman died: another one takes its place")
	s.dropDeadman()
	if time.Since(g.begun) >= deadmanLives {
		s.arm(s.tenure.session)
	} else if g.why == nil {
		g.why = fmt.Errorf("it died: %s", m.exit) //nolint:err113 // words for people
	}
}

// unheard ends a deadman that does not listen: the rest follows from its death.
func (s *Supervisor) unheard(m unheard) {
	g := &s.guard
	if g.way.Load() != m.way || g.proc == nil {
		return
	}
	s.log.Warn().Err(m.err).Msg("deadman does not listen")
	_ = g.proc.SignalGroup(syscall.SIGKILL) // it may be dead
}

// hearDeadman passes on what the process says.
func (s *Supervisor) hearDeadman(m deadman.Message) { s.mail.post(deadmanSaid{m}) }

func (s *Supervisor) deadmanSaid(m deadman.Message) {
	switch m.Kind {
	case deadman.Killed:
		s.log.Error().Uint32(keyCount, m.PID).Dur(keyAge, s.cfg.World.Places.Clock.Now()-m.At).
			Msg("the deadman has killed workers before their claims ended: this process did not come to it")
	case deadman.Blind:
		s.log.Warn().Uint64(keyCount, m.Token).Msg("the deadman has no more descriptors: it knows a worker by its number")
	case deadman.Bye, deadman.Deadline, deadman.Watch, deadman.Forget: // ours
	}
}

// endGuard lets go of the deadman. It ends when no worker is left that it watches.
func (s *Supervisor) endGuard() {
	g := &s.guard
	if g.past != nil {
		g.past.Close()
	}
	if g.way.Load() == nil {
		return
	}
	s.dropDeadman()
	if s.forced {
		return
	}
	select {
	case <-g.ended:
	case <-time.After(lastWords):
	}
}
