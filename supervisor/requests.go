package supervisor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/broodctl/brood/supervisor/machine"
)

// Errors of requests, for errors.Is.
var (
	ErrNoPool  = errors.New("no such pool")
	ErrNoSlot  = errors.New("no such slot")
	ErrBadVerb = errors.New("no such request")
	ErrScale   = errors.New("cannot scale")
	ErrNoFile  = errors.New("it was started from flags, and has no configuration file")
	ErrNothing = errors.New("none is under way")
	ErrNoFleet = errors.New("no such fleet")
)

// Do asks the loop and waits for the verdict, which for Roll and Reload comes at the end of the rollout. With the
// context's end the waiting ends, not the work.
func (s *Supervisor) Do(ctx context.Context, req Request) Verdict {
	answer := make(chan Verdict, 1)
	if !s.mail.post(requested{req: req, reply: asker{ticket: req.Ticket, tell: func(v Verdict) { answer <- v }}}) {
		return Verdict{Err: ErrStopped}
	}
	select {
	case v := <-answer:
		return v
	case <-ctx.Done():
		return Verdict{Err: fmt.Errorf("cannot wait for the end of %s: %w", req.Verb, ctx.Err())}
	}
}

// serve does what was asked for. A request that makes no sense changes nothing.
func (s *Supervisor) serve(req Request, reply replier) {
	pools := s.named(req.Pool)
	if len(pools) == 0 {
		reply.give(Verdict{Err: fmt.Errorf("cannot %s pool %q: %w (there is: %s)", req.Verb, req.Pool, ErrNoPool, s.poolNames())})
		return
	}
	if req.Verb != Plan { // who may only look must not be able to fill the log and the events
		req.log(s.log)
		s.tellRequest(req)
	}
	if s.serveWhole(req, reply) {
		return
	}
	gather := newGather(len(pools), reply)
	if (req.Verb == Roll || req.Verb == Reload) && !req.Abort && s.anyServing() && !s.leaving {
		s.systemd.reloading()
		gather.sup, gather.reloading = s, true
	}
	for _, p := range pools {
		p.serve(req, gather)
	}
}

// serveWhole does what concerns all pools together, and reports whether the request was of that kind.
func (s *Supervisor) serveWhole(req Request, reply replier) bool {
	switch {
	case req.Verb == Plan:
		s.plan(reply)
	case req.Verb == Reload && req.Abort:
		s.abortReload(reply)
	case req.Verb == Reload && req.Pool == "" && s.cfg.World.Load != nil:
		s.reload(reply)
	case req.Verb == Pause || req.Verb == Resume:
		s.steerFleet(req, reply)
	case req.Verb == Upgrade:
		s.beginUpgrade(req.Program, reply)
	case req.Verb == Stop && req.Pool == "":
		s.forGood = true
		s.leave()
		reply.give(Verdict{Text: "stopping"})
	case req.Verb == Kill && req.Pool == "":
		s.forced = true
		for _, p := range s.pools {
			p.step(machine.KillRequested{})
		}
		s.leave()
		reply.give(Verdict{Text: "killed"})
	default:
		return false
	}
	return true
}

func (p *pool) serve(req Request, reply replier) {
	switch req.Verb {
	case Roll:
		if req.Abort {
			reply.give(p.abort())
			return
		}
		p.roll(reply)
	case Reload:
		if p.sup.cfg.World.Load != nil {
			reply = unreadReply{reply}
		}
		p.reload(signalOrRoll, reply)
	case Scale:
		reply.give(p.scale(req))
	case Dump:
		reply.give(p.dump())
	case Restart:
		p.restart(req, reply)
	case Signal:
		p.signal(req, reply)
	case Stop:
		p.step(machine.StopRequested{})
		reply.give(Verdict{Text: "stopping pool " + p.name})
	case Kill:
		p.step(machine.KillRequested{})
		reply.give(Verdict{Text: "killed pool " + p.name})
	case Plan, Upgrade, Pause, Resume:
		fallthrough // serveWhole has done them
	default:
		reply.give(Verdict{Err: fmt.Errorf("cannot do %q: %w", req.Verb, ErrBadVerb)})
	}
}

// abort ends the rollout at hand as if its successor had failed.
func (p *pool) abort() Verdict {
	if p.errands.rolls > 0 {
		p.dropErrands()
		if p.st.Rollout.Phase != machine.Rolling {
			return Verdict{Text: fmt.Sprintf("the rollout of pool %s is aborted; it had not begun", p.name)}
		}
	}
	switch {
	case p.st.Rollout.Phase == machine.Rolling:
	case p.st.Rollout.Queued != 0: // for its turn
		p.step(machine.AbortRequested{})
		return Verdict{Text: fmt.Sprintf("the rollout of pool %s is aborted; it had not begun", p.name)}
	default:
		return Verdict{Err: fmt.Errorf("cannot abort rollout of pool %s: %w", p.name, ErrNothing)}
	}
	target := p.st.Rollout.Target
	p.step(machine.AbortRequested{})
	return Verdict{Text: fmt.Sprintf("pool %s goes back to generation %d; the rollout to %d is aborted", p.name, p.st.Generation, target)}
}

// scale changes the number of workers on request. Where it follows the load, that goes on from there.
func (p *pool) scale(req Request) Verdict {
	workers := req.Workers
	if workers == 0 {
		workers = p.st.Spec.Workers + req.Delta
	}
	if !p.accepts() {
		return Verdict{Err: p.notRunning()}
	}
	if a := p.cfg().Autoscale; a.Clamp(workers) != workers {
		return Verdict{Err: fmt.Errorf("%w pool %s to %d workers: %w %d and %d, which the configuration says by workers = {min, max}",
			ErrScale, p.name, workers, errBounds, a.Min, a.Max)}
	}
	if err := p.resize(workers); err != nil {
		return Verdict{Err: err}
	}
	text := fmt.Sprintf("pool %s goes to %d workers", p.name, workers)
	if a := p.cfg().Autoscale; a.Max > 0 {
		text += fmt.Sprintf("; from there the number follows the load, between %d and %d", a.Min, a.Max)
	}
	return Verdict{Text: text}
}

var errBounds = errors.New("their number follows the load between")

// resize makes room first, so that a machine without ports or descriptors left changes nothing.
func (p *pool) resize(workers int) error {
	spec := p.st.Spec
	spec.Workers = workers
	if err := spec.Validate(); err != nil {
		return fmt.Errorf("%w pool %s: %w", ErrScale, p.name, err)
	}
	for _, l := range p.listeners() {
		if err := l.Grow(workers); err != nil {
			return fmt.Errorf("%w pool %s: %w", ErrScale, p.name, err)
		}
	}
	p.step(machine.ScaleRequested{Workers: workers})
	return nil
}

func (s *Supervisor) named(name string) []*pool {
	var found []*pool
	for _, p := range s.pools {
		if name == "" || name == p.name {
			found = append(found, p)
		}
	}
	return found
}

// pool returns the pool of a name, nil if there is none.
func (s *Supervisor) pool(name string) *pool {
	for _, p := range s.pools {
		if p.name == name {
			return p
		}
	}
	return nil
}

func (s *Supervisor) poolNames() string {
	names := make([]string, len(s.pools))
	for i, p := range s.pools {
		names[i] = p.name
	}
	return strings.Join(names, ", ")
}
