package supervisor

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/supervisor/events"
	"github.com/broodctl/brood/supervisor/machine"
)

// takeOver makes the pools of another program ours, with all that their workers have. No worker notices, and nothing begins yet.
func (s *Supervisor) takeOver(h *Handed) error {
	s.resumed = h
	s.begun, s.seed, s.desired, s.config = time.Unix(0, h.Begun), h.Seed, h.Desired, h.Config
	s.wasReady, s.config.File = h.Ready, s.cfg.File
	for _, word := range h.Said {
		s.gauge.say(word)
	}
	if _, err := s.house.furnish(s.cfg.World.Sockets, &s.desired); err != nil {
		return err
	}
	for _, key := range h.Paused {
		if l := s.house.open[key]; l != nil {
			s.house.paused[l] = true
		}
	}
	s.expect(h)
	c := readClock()
	s.adoptDeadman(c, h.Deadman)
	for i := range h.Pools {
		p, err := s.adoptPool(c, &h.Pools[i])
		if err != nil {
			return fmt.Errorf("cannot take over pool %s: %w", h.Pools[i].Name, err)
		}
		s.pools = append(s.pools, p)
	}
	return nil
}

// takeEvents goes on where the feed of the other program was. What was said when ours was made is no news.
func (s *Supervisor) takeEvents() error {
	if s.resumed == nil {
		return nil
	}
	var err error
	s.feed, err = events.Resume(s.resumed.Events, s.resumed.Last)
	return err
}

// resume goes on where the other program was.
func (s *Supervisor) resume() {
	h, c := s.resumed, readClock()
	s.resumed = nil
	s.cfg.World.Places.letGo()
	workers := 0
	answers := s.takeAnswers(h)
	for i := range h.Pools {
		workers += s.pools[i].resume(c, &h.Pools[i], answers)
	}
	gap := time.Duration(c.boot - h.At)
	var failed error
	level, message := zerolog.InfoLevel, "supervisor upgraded: it goes on"
	if why := h.Upgrade.Failed; why != "" {
		failed, level, message = errors.New(why), zerolog.ErrorLevel, "upgrade refused: this program goes on"
	}
	s.log.WithLevel(level).Err(failed).Str(keyName, s.cfg.Name).Str(keyVersion, s.cfg.Version).Int(keyPID, os.Getpid()).Str(keyWas, h.Upgrade.From).
		Int(keyWorkers, workers).Dur(keyGap, gap).Dur(keyAfter, time.Duration(c.boot-h.Upgrade.Begun)).Msg(message)
	s.systemd.resume(s.wasReady)
	if !s.wasReady {
		s.systemd.starting(s.startTimeout())
		s.beginRush()
	}
	s.answerUpgrade(h, fmt.Sprintf("brood %s goes on in place of %s, as process %d with %s; nothing happened for %s",
		s.cfg.Version, h.Upgrade.From, os.Getpid(), count(workers, "worker"), gap.Round(time.Microsecond*100)))
	s.systemd.reloaded()
	for _, sig := range h.Signals {
		s.obey(sig)
	}
	s.startDue()
}

// resume begins what a pool was at, and returns how many workers it has.
func (p *pool) resume(c clock, h *HandedPool, answers []replier) int {
	for _, t := range h.Timers {
		p.setTimer(machine.SetTimer{Timer: t.Timer, After: max(0, c.until(t.Ends))})
	}
	for _, w := range h.Waiting {
		p.waiting = append(p.waiting, waiter{target: w.Target, reply: p.onItsWay(c, w, answers[w.Answer])})
	}
	for _, r := range h.Restarts {
		p.restarts = append(p.restarts, restart{ref: r.Ref, pid: r.PID, reply: answers[r.Answer]})
	}
	n := 0
	for i := range h.Workers {
		rec := p.workers[h.Workers[i].Ref]
		if rec.proc != nil && !rec.over {
			n++
		}
		p.resumeWorker(rec)
	}
	p.resumeReload(c, h.Reload) // behind the watches, which it adds to
	if p.station == preparing {
		p.station = held // it prepares anew: what it requires may be there by now
	} else if len(p.unmet) > 0 {
		p.recheck()
	}
	p.sweep()
	p.resumeClaims()
	p.resumeQuests()
	return n
}

// onItsWay has an answer pass what it passed in the other program.
func (p *pool) onItsWay(c clock, w HandedWaiter, to replier) replier {
	if w.Unread {
		to = unreadReply{to}
	}
	if w.Booked != 0 {
		to = p.booked(c.time(w.Booked), to)
	}
	return to
}

// resumeWorker watches a worker as before, or lets go of what is left of it.
func (p *pool) resumeWorker(rec *record) {
	switch {
	case rec.over:
		p.dead = append(p.dead, rec)
	case rec.unborn && (rec.asked || rec.killed):
		rec.err, rec.ended = errUnborn, time.Now()
		p.die(rec, machine.Died{Ref: rec.ref})
	case rec.unborn:
		p.launch(machine.Start{Ref: rec.ref, ID: rec.id, Generation: rec.generation})
	default:
		if rec.gate == through && rec.health.told != fit {
			p.unfit[rec] = true
		}
		p.watchAgain(rec)
	}
}

// watchAgain begins to watch a worker anew that was watched before.
func (p *pool) watchAgain(rec *record) {
	w, there := p.st.Worker(rec.ref)
	switch {
	case !there || rec.proc == nil || rec.over || rec.asked || rec.leaves || rec.fault.cause != "":
	case rec.gate == through:
		p.monitor(rec)
	case w.Health == machine.Starting:
		p.enter(rec, rec.gate, "")
	}
}

var errUnborn = fmt.Errorf("it was told to leave before it was started: %w", os.ErrProcessDone)
