package supervisor

import (
	"fmt"
	"slices"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// firstFD is the descriptor that follows the standard ones; see sd_listen_fds(3).
const firstFD = 3

// launch spawns the worker that the machine wants.
func (p *pool) launch(a machine.Start) {
	rec := p.workers[a.Ref]
	if rec == nil {
		rec = newRecord(a, p.editions[a.Generation])
		p.workers[a.Ref] = rec
		p.slot(a.Ref.Slot)
	}
	if rec.unborn = p.sup.holdsLaunches(); rec.unborn {
		return
	}
	cmd, err := p.prepare(rec)
	if err != nil {
		p.sup.mail.post(started{pool: p, ref: a.Ref, err: err})
		return
	}
	p.sup.cfg.World.Launch(cmd, func(proc Process, err error) {
		p.sup.mail.post(started{pool: p, ref: a.Ref, proc: proc, err: err})
	})
}

func (p *pool) prepare(rec *record) (worker.Command, error) {
	ref, world := rec.ref, p.sup.cfg.World
	var err error
	if rec.notify, err = world.OpenNotify(func(msg handshake.Message, err error) {
		p.sup.mail.post(told{pool: p, ref: ref, msg: msg, err: err})
	}); err != nil {
		return worker.Command{}, fmt.Errorf("cannot open notification socket: %w", err)
	}
	if rec.output, err = world.OpenOutput(Speaker{Pool: p.name, Slot: ref.Slot, WorkerID: rec.id}, rec.edition.cfg.Log); err != nil {
		return worker.Command{}, fmt.Errorf("cannot open output: %w", err)
	}
	if rec.edition.cfg.PrivateTmp && world.PrivateTmp != nil {
		rec.tmp = world.PrivateTmp(p.label(ref.Slot))
	}
	p.pin(rec)
	facts, files := p.facts(rec)
	for _, c := range p.claimed(ref) {
		if f := c.File(); f != nil {
			files = append(files, int(f.Fd())) // it has the place until its end, also when we are gone
		}
	}
	e := rec.edition
	made, err := e.recipe.Build(facts)
	if err != nil {
		return worker.Command{}, err
	}
	as, err := made.Identify()
	if err == nil && as != nil {
		err = rec.give(as)
	}
	if err != nil {
		return worker.Command{}, err
	}
	p.enclose(rec)
	group := rec.group
	cmd := worker.Command{
		Argv: made.Argv, Env: made.Env, Dir: made.Dir,
		Program: e.program, As: as, Umask: e.cfg.Umask, Limits: e.cfg.Limits, Settings: e.cfg.Settings.Of(ref.Slot),
		Files: files, PrivateTmp: rec.tmp,
		Stdin: worker.DevNull, Stdout: rec.output.Stdout(), Stderr: rec.output.Stderr(),
		ListenPID: passes(facts) || facts.WatchdogUsec > 0,
		Orphans:   e.cfg.Orphans,
		OnExit: func(e worker.Exit) {
			p.sup.mail.post(exited{pool: p, ref: ref, exit: e, usage: lastUsage(group)})
		},
		OnGone: func() { p.sup.mail.post(gone{pool: p, ref: ref}) },
	}
	if group != nil {
		cmd.Group = group
	}
	return cmd, p.entrust(rec, &cmd)
}

// pin tells the listeners which CPUs the worker will run on, so that steering by CPU leads to it from there.
func (p *pool) pin(rec *record) {
	var cpus []int
	if sets := rec.edition.cfg.Settings.Of(rec.ref.Slot).CPUs; len(sets) > 0 {
		cpus = sets[0]
	}
	for _, l := range rec.edition.listeners {
		if err := l.Pin(rec.ref.Slot, side(rec.ref.Side), cpus); err != nil {
			p.failed(l)("cannot steer by CPU", err)
		}
	}
}

// facts are what the worker is told about itself, with the descriptors it gets.
func (p *pool) facts(rec *record) (worker.Facts, []int) {
	w, _ := p.st.Worker(rec.ref)
	facts := worker.Facts{
		Pool:         p.name,
		Slot:         rec.ref.Slot,
		Workers:      p.st.Spec.Workers,
		WorkerID:     rec.id,
		Generation:   rec.generation,
		Fence:        w.Fence,
		LeaderFence:  w.Lead,
		Leader:       rec.edition.cfg.Spec.Leads(rec.ref.Slot),
		NotifySocket: rec.notify.Address(),
		WatchdogUsec: uint64(rec.edition.cfg.Health.Watchdog.Microseconds()),
	}
	if rec.tmp != nil {
		facts.TmpDir = rec.tmp.Path()
	}
	var files []int
	for _, l := range rec.edition.listeners {
		fact := factOf(l, rec.ref.Slot)
		if fd := l.FD(rec.ref.Slot, side(rec.ref.Side)); fd >= 0 {
			fact.FD = firstFD + len(files)
			files = append(files, fd)
		}
		facts.Listeners = append(facts.Listeners, fact)
	}
	return facts, files
}

// passes reports whether a worker gets sockets.
func passes(facts worker.Facts) bool {
	return slices.ContainsFunc(facts.Listeners, func(l worker.ListenerFact) bool { return l.FD >= 0 })
}

// addrOf is the address of one slot: with per-slot listeners each has its own port.
func addrOf(l Listener, slot int) string {
	addr := l.Address()
	if l.Mode() == listener.PerSlot {
		addr.Port = l.Port(slot)
	}
	return addr.HostPort()
}

func pidOf(proc Process) int {
	if proc == nil {
		return 0
	}
	return proc.PID()
}

// started takes note that the worker runs, or never will.
func (p *pool) started(m started) {
	rec := p.workers[m.ref]
	if rec == nil {
		return
	}
	if rec.output != nil {
		rec.output.Spawned(pidOf(m.proc))
	}
	rec.giveBackLent()
	if m.err != nil {
		rec.err, rec.ended = m.err, time.Now()
		p.die(rec, machine.Died{Ref: m.ref})
		return
	}
	rec.proc, rec.born = m.proc, m.proc.Started()
	p.report(rec)
	p.of(p.log.Info(), rec).Msg("worker started")
	p.tellStarted(rec)
	for _, f := range rec.late {
		f()
	}
	rec.late = nil
	if w, ok := p.st.Worker(m.ref); ok && w.Health == machine.Starting {
		p.watch(rec)
	}
}

// told hears a worker.
func (p *pool) told(m told) {
	rec := p.workers[m.ref]
	if rec == nil || rec.over {
		return
	}
	if m.err != nil {
		if rec.garbled++; isRound(rec.garbled) {
			p.of(p.log.Warn().Err(m.err), rec).Int(keyCount, rec.garbled).Msg("notification ignored")
		}
		return
	}
	if rec.proc == nil { // it spoke before the news of its start came through
		rec.late = append(rec.late, func() { p.told(m) })
		return
	}
	if m.msg.Status != "" && m.msg.Status != rec.status {
		rec.status = m.msg.Status
		p.changed()
	}
	rec.reload = rec.reload || m.msg.HandlesReload
	if m.msg.Ready && takesNotice(rec.edition.cfg.Ready.Kind) {
		rec.notified = true
		p.pass(m.ref, atProof, howNotified)
	}
	p.toldOfReload(rec, m.msg.Reloading, m.msg.Ready)
	p.toldOfHealth(rec, &m.msg)
	if m.msg.Stopping && !rec.asked {
		rec.unwatch()
		if !rec.leaves { // it may say so without end
			p.of(p.log.Info(), rec).Msg("worker leaves by itself")
		}
		rec.leaves = true
		p.step(machine.LeavesByItself{Ref: m.ref})
	}
}

// isRound reports whether a count is 1, 10, 100 and so on: a worker that sends garbage as fast as it can does not fill the log.
func isRound(n int) bool {
	for n >= 10 && n%10 == 0 {
		n /= 10
	}
	return n == 1
}

// toldOfHealth hears what a worker says about how it does, and how much it has done.
func (p *pool) toldOfHealth(rec *record, msg *handshake.Message) {
	if msg.Watchdog {
		p.beat(rec)
	}
	if msg.WatchdogTrigger {
		p.trigger(rec)
	}
	if msg.Requests != nil {
		p.served(rec, *msg.Requests)
	}
}
