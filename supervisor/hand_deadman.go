package supervisor

import (
	"github.com/broodctl/brood/internal/deadman"
	"github.com/broodctl/brood/worker"
)

// HandedDeadman is the deadman, which goes on while programs change.
type HandedDeadman struct {
	FD      int    // our end of the way to it
	Version int    // of what it is told
	Token   uint64 // the last one that a worker was given
	Process worker.HandedProcess
	Begun   stamp
}

// HandedMortal is what the deadman knows of a worker.
type HandedMortal struct {
	Token    uint64
	Sessions deadman.Sessions
}

// handDeadman writes down what the next program needs of ours; nil if there is none, or nobody knows yet whether it runs.
func (s *Supervisor) handDeadman(c clock) *HandedDeadman {
	g := &s.guard
	way := g.way.Load()
	if way == nil || g.proc == nil {
		return nil
	}
	return &HandedDeadman{FD: way.Ours(), Version: deadman.Version, Token: g.token, Process: g.proc.Hand(), Begun: c.of(g.begun)}
}

// adoptDeadman takes it over. One that speaks in another way is needed until ours runs. If it is lost another one is begun.
func (s *Supervisor) adoptDeadman(c clock, h *HandedDeadman) {
	if h == nil {
		return
	}
	g := &s.guard
	g.token = h.Token
	way, err := s.cfg.World.Heir.Deadman(h.FD, s.hearDeadman)
	if err != nil {
		s.log.Warn().Err(err).Msg("cannot take over the deadman: another one takes its place")
		return
	}
	g.serial++
	g.ended = make(chan struct{})
	proc, err := s.cfg.World.Heir.Process(h.Process, worker.Adopted{OnExit: s.deadmanEnds(g.serial, g.ended)})
	if err != nil || h.Version != deadman.Version {
		g.past = way
		return
	}
	g.proc, g.begun = proc, c.time(h.Begun)
	g.way.Store(&wayTo{way})
}

// isStarting reports whether the deadman is.
func (g *guard) isStarting() bool { return g.way.Load() != nil && g.proc == nil }

// settle has everything sent that was said to the deadman.
func (g *guard) settle() {
	if way := g.way.Load(); way != nil {
		way.Flush()
	}
}

// deadmanMissing says why there is no deadman, if there should be one; "" if there is nothing to be said.
func (s *Supervisor) deadmanMissing() string {
	if s.guard.why == nil || !ends(s.tenure.session) {
		return ""
	}
	return s.guard.why.Error()
}
