package supervisor

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/broodctl/brood/internal/cgroup"
	"github.com/broodctl/brood/internal/deadman"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// Heir takes over what the workers of another program have, by what that wrote down. Nothing of it may block.
type Heir struct {
	Process func(h worker.HandedProcess, a worker.Adopted) (Process, error)
	Notify  func(h worker.HandedNotify, on func(handshake.Message, error)) (Notify, error)
	Output  func(h HandedOutput, of Speaker, log plan.Log) (Output, error)
	Tmp     func(h worker.HandedTmpDir) (*worker.TmpDir, error)
	Program func(h worker.HandedProgram) (*worker.Program, error)
	Deadman func(fd int, said func(deadman.Message)) (Deadman, error)
}

// adoptPool makes a pool of what is known of it. Its machine goes on where it was.
func (s *Supervisor) adoptPool(c clock, h *HandedPool) (*pool, error) {
	if len(h.Editions) == 0 {
		return nil, errNoEdition
	}
	editions := map[uint64]*edition{}
	for i := range h.Editions {
		e, err := s.adoptEdition(&h.Editions[i])
		if err != nil {
			return nil, err
		}
		editions[h.Editions[i].Generation] = e
	}
	if editions[h.State.Generation] == nil {
		return nil, errNoEdition
	}
	p := newPool(s, editions[h.State.Generation])
	p.editions, p.st, p.station = editions, h.State, h.Station
	p.first, p.settled, p.unmet = h.First, h.Settled, h.Unmet
	p.last, p.reloads, p.repairs, p.code = h.Rollout, h.Reloads, h.Repairs, h.Code
	p.scaling.reason, p.scaling.to, p.scaling.detail, p.scaling.changed = h.Scaled.Reason, h.Scaled.To, h.Scaled.Detail, c.time(h.Scaled.Changed)
	maps.Copy(p.deaths, h.Deaths)
	for _, slot := range h.Slots {
		book := p.slot(slot.Slot)
		book.restarts, book.lastExit = slot.Restarts, slot.LastExit
		book.requests.Store(slot.Requests)
	}
	for i := range h.Workers {
		w := &h.Workers[i]
		if p.editions[w.Generation] == nil {
			return nil, fmt.Errorf("worker %s: %w", p.label(w.Ref.Slot), errNoEdition)
		}
		if err := p.adopt(c, w); err != nil {
			return nil, fmt.Errorf("worker %s: %w", p.label(w.Ref.Slot), err)
		}
	}
	p.adoptMember(h.Member)
	p.confession.open = h.Failures
	return p, p.adoptClaims(h.Claims)
}

var errNoEdition = errors.New("it is of a generation that is not described")

func (s *Supervisor) adoptEdition(h *HandedEdition) (*edition, error) {
	e := &edition{cfg: &h.Pool, repeats: h.Repeats}
	for _, seated := range h.Seats {
		l := s.house.open[seated.Key]
		if l == nil {
			return nil, fmt.Errorf("listener %s is not there", seated.Key.Address)
		}
		e.listeners = append(e.listeners, seat{Listener: l, name: seated.Name})
	}
	var err error
	if e.recipe, err = worker.NewRecipe(h.Pool.Recipe, e.sample(1)); err != nil {
		return nil, err
	}
	if h.Program != nil {
		e.program, err = s.cfg.World.Heir.Program(*h.Program)
	}
	return e, err
}

// adopt makes a worker of another program ours.
func (p *pool) adopt(c clock, h *HandedWorker) error {
	rec := &record{
		ref: h.Ref, id: h.ID, generation: h.Generation, edition: p.editions[h.Generation], made: c.time(h.Made), unborn: h.Unborn,
		lanes: map[Listener]turn{}, gate: h.Gate, notified: h.Notified, leaves: h.Leaves, garbled: h.Garbled, reload: h.Reload, status: h.Status,
		readyAt: c.time(h.ReadyAt), limit: h.Limit, service: service{requests: h.Requests, due: h.Due},
		asked: h.Asked, why: h.Why, killed: h.Killed, relayed: h.Relayed, purpose: h.Purpose,
		over: h.Over, oomKilled: h.OOMKilled, exit: h.Exit, ended: c.time(h.Ended),
	}
	rec.health.told, rec.health.noted = h.Health, h.Noted
	for _, wrong := range h.Wrong {
		if int(wrong.By) < senses {
			rec.health.wrong[wrong.By] = complaint{cause: wrong.Cause, detail: wrong.Detail, since: c.time(wrong.Since)}
		}
	}
	if h.Fault != nil {
		rec.fault = complaint{cause: h.Fault.Cause, detail: h.Fault.Detail, since: c.time(h.Fault.Since)}
	}
	if h.Probe != "" {
		rec.probe = errors.New(h.Probe)
	}
	if h.Mortal != nil {
		rec.mortal = mortal{token: h.Mortal.Token, sessions: h.Mortal.Sessions}
	}
	if h.Err != "" {
		rec.err = errors.New(h.Err)
	}
	p.workers[h.Ref] = rec
	if err := p.adoptLost(rec, h.Lost); err != nil {
		return err
	}
	return p.adoptThings(rec, h)
}

// adoptThings takes over what a worker has of the world.
func (p *pool) adoptThings(rec *record, h *HandedWorker) error {
	heir, ref := &p.sup.cfg.World.Heir, rec.ref
	var err error
	if h.Notify != nil {
		if rec.notify, err = heir.Notify(*h.Notify, func(msg handshake.Message, err error) {
			p.sup.mail.post(told{pool: p, ref: ref, msg: msg, err: err})
		}); err != nil {
			return fmt.Errorf("notification socket: %w", err)
		}
	}
	if h.Output != nil {
		if rec.output, err = heir.Output(*h.Output, Speaker{Pool: p.name, Slot: ref.Slot, WorkerID: rec.id}, rec.edition.cfg.Log); err != nil {
			return fmt.Errorf("output: %w", err)
		}
	}
	if h.Tmp != nil {
		if rec.tmp, err = heir.Tmp(*h.Tmp); err != nil {
			return fmt.Errorf("temporary files: %w", err)
		}
	}
	if h.Process == nil {
		return nil
	}
	return p.adoptProcess(rec, h)
}

func (p *pool) adoptProcess(rec *record, h *HandedWorker) error {
	ref := rec.ref
	var err error
	if h.Group != nil {
		if rec.group, err = p.adoptGroup(rec, *h.Group); err != nil {
			return fmt.Errorf("control group: %w", err)
		}
	}
	group := rec.group
	a := worker.Adopted{
		OnExit: func(e worker.Exit) {
			p.sup.mail.post(exited{pool: p, ref: ref, exit: e, usage: lastUsage(group)})
		},
		OnGone: func() { p.sup.mail.post(gone{pool: p, ref: ref}) },
	}
	if group != nil {
		a.Group = group
	}
	rec.born = time.Unix(0, h.Born)
	rec.proc, err = p.sup.cfg.World.Heir.Process(*h.Process, a)
	return err
}

var errNoGroups = errors.New("there are no control groups any more")

func (p *pool) adoptGroup(rec *record, h cgroup.HandedGroup) (Group, error) {
	groups := p.sup.cfg.World.Groups
	if groups == nil {
		return nil, errNoGroups
	}
	return groups.Adopt(p.name, groupName(rec), rec.edition.cfg.Cgroup, p.hitLimit(rec), h)
}
