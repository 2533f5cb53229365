package supervisor

import (
	"errors"
	"syscall"

	"github.com/broodctl/brood/internal/deadman"
	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/worker"
)

// mortal is what the deadman knows of a worker; the zero value is one that it does not know.
type mortal struct {
	token    uint64
	sessions deadman.Sessions
	lent     int // by which the worker itself speaks to the deadman, while it is started; else 0
}

var errEnded = errors.New("its claims have ended")

// mortalClaims are the sessions with which a worker has to end. Who keeps a worker id that is lost does not for that.
func (p *pool) mortalClaims(ref machine.Ref) (sessions []lease.SessionID) {
	w, ok := p.st.Worker(ref)
	for claim, c := range p.claims.held {
		if !ok || c == nil || !w.Uses(claim) || claim.Right == machine.ToID && p.sup.cfg.World.Places.KeepIDs {
			continue
		}
		if id := c.Saved().Session; id != 0 && len(sessions) < len(deadman.Sessions{}) {
			sessions = append(sessions, id)
		}
	}
	return sessions
}

// entrust has the deadman know of a worker before its program runs. Where there is no deadman nothing is changed.
func (p *pool) entrust(rec *record, cmd *worker.Command) error {
	sessions, way := p.mortalClaims(rec.ref), p.sup.guard.way.Load()
	if way == nil || len(sessions) == 0 {
		return nil
	}
	until := p.sup.tenure.kill
	for _, id := range sessions {
		if id == p.sup.tenure.session.ID {
			continue
		}
		current := p.sup.cfg.World.Places.Engine.Session() // that it began is on its way to us
		if id != current.ID || !ends(current) {
			return errEnded
		}
		p.sup.putOff(current)
		until = p.sup.killAt(current)
	}
	p.enroll(rec, sessions)
	lent, err := way.Lend()
	if err != nil {
		return err
	}
	rec.mortal.lent = lent
	cmd.Deadman = &worker.Deadman{Socket: lent, Token: rec.mortal.token, Sessions: rec.mortal.sessions, Until: until}
	return nil
}

func (p *pool) enroll(rec *record, sessions []lease.SessionID) {
	p.sup.guard.token++
	rec.mortal = mortal{token: p.sup.guard.token}
	for i, id := range sessions {
		rec.mortal.sessions[i] = int64(id)
	}
}

// giveBackLent closes what a worker has used that was started, or was not.
func (rec *record) giveBackLent() {
	if rec.mortal.lent > 0 {
		_ = syscall.Close(rec.mortal.lent)
		rec.mortal.lent = 0
	}
}

// report tells the deadman of a worker that runs, with its control group: of one that it does not know as well.
func (p *pool) report(rec *record) {
	way := p.sup.guard.way.Load()
	if way == nil || rec.proc == nil {
		return
	}
	if rec.mortal.token == 0 {
		sessions := p.mortalClaims(rec.ref)
		if rec.over || len(sessions) == 0 {
			return
		}
		p.enroll(rec, sessions)
	}
	group := -1
	if rec.group != nil {
		if fd, err := rec.group.Open(); err == nil {
			defer syscall.Close(fd)
			group = fd
		}
	}
	rec.proc.Describe(func(pidfd int) {
		p.sup.distrust(way, way.Watch(rec.mortal.token, rec.proc.PID(), rec.mortal.sessions, pidfd, group))
	})
}

// bury tells the deadman that nobody of a worker is left.
func (p *pool) bury(rec *record) {
	token := rec.mortal.token
	rec.mortal.token = 0
	if way := p.sup.guard.way.Load(); way != nil && token != 0 {
		p.sup.distrust(way, way.Forget(token))
	}
}

// overtaken tells the pools that a session is over whose end we have not seen, because this process stood still: workers that
// the deadman has killed since have not failed.
func (s *Supervisor) overtaken() {
	t, places := &s.tenure, s.cfg.World.Places
	if places == nil || t.stage == over || !ends(t.session) || places.Clock.Now() < t.kill {
		return
	}
	if current := places.Engine.Session(); current.ID == t.session.ID && current.Deadline > t.session.Deadline {
		return // it was put off, and the news is on its way to us
	}
	t.stage = over
	s.lapse(t.session.ID, over)
}
