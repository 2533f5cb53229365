package supervisor

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// world is a fake one: its processes are values, and every thing done to them is written down in order.
type world struct {
	mu       sync.Mutex
	procs    []*fakeProcess
	diary    []string // what happened, in order: "steer 0a", "TERM 101", ...
	systemd  []string
	behave   func(n int, p *fakeProcess) // called as the n-th process starts, n from 0
	handling worker.Handling
	launched int
	named    bool          // the diary has pool.slot/generation of a process in place of its pid
	hold     chan struct{} // if not nil, starts wait for it
	watchdog time.Duration
	lanes    bool          // workers can be asked over HTTP
	outlives bool          // the next process of the service will have the listeners
	queued   int           // connections that wait for the worker of slot 0, in every listener
	busy     time.Duration // CPU time that each worker uses per second

	still     sync.RWMutex // held while nothing may happen to workers; see fakeUpgrader
	listeners []*fakeListener
	notifies  map[string]func(handshake.Message, error) // by address
	outputs   int

	// file is what the configuration says when it is read again, or why it cannot be read. It takes a while.
	file    plan.Desired
	broken  error
	reading time.Duration
	reads   int

	guarded bool // there can be a deadman
	deadmen []*fakeDeadman
	noGuard error           // there cannot, and why
	missing map[string]bool // what is required and is not there
	check   func(ctx context.Context, timeout time.Duration, c Checked) []error
}

// firstPID is of the process 0.
const firstPID = 100

type fakeProcess struct {
	world    *world
	pid      int
	cmd      worker.Command
	begun    time.Time
	stubborn bool          // ignores the stop signal
	aborts   bool          // dies of SIGABRT
	drain    time.Duration // from the stop signal to the end
	ready    time.Duration // from the start to READY=1; negative is never
	lasts    time.Duration // of a chore: from the start to the end
	used     time.Duration // CPU time, as of the last look
	looked   time.Time     // when that was
	exit     worker.Exit   // of a chore
	err      error         // it never runs
	notify   func(handshake.Message, error)
	serves   bool // it has said so
	dead     bool
	mood     mood
	remains  bool
	slow     time.Duration // what it takes to signal it
	immune   error         // why it cannot be signalled as a group
}

func (w *world) write(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.diary = append(w.diary, fmt.Sprintf(format, args...))
}

func (w *world) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.diary)
}

func (w *world) told() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.systemd)
}

func (w *world) process(n int) *fakeProcess {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.procs[n]
}

// living are the workers that have not ended, in the order of their start.
func (w *world) living() []*fakeProcess {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []*fakeProcess
	for _, p := range w.procs {
		if !p.dead && p.err == nil && !p.isChore() && !p.isDeadman() {
			found = append(found, p)
		}
	}
	return found
}

// chores are the commands that run now.
func (w *world) chores() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, p := range w.procs {
		if p.isChore() && p.err == nil && !p.dead {
			all = append(all, p.name())
		}
	}
	return all
}

// launch starts a fake process.
func (w *world) launch(cmd worker.Command, done func(Process, error)) {
	w.mu.Lock()
	n := w.launched
	w.launched++
	p := &fakeProcess{world: w, pid: firstPID + n, cmd: cmd, begun: time.Now()}
	p.notify = w.notifies[p.env("NOTIFY_SOCKET")]
	w.procs = append(w.procs, p)
	hold := w.hold
	w.mu.Unlock()
	if w.behave != nil {
		w.behave(n, p)
	}
	if hold != nil {
		go func() {
			<-hold
			p.begin(done)
		}()
		return
	}
	p.begin(done)
}

func (p *fakeProcess) begin(done func(Process, error)) {
	switch {
	case p.err != nil:
		p.world.write("failed %s", p.name())
		done(nil, p.err)
		return
	case p.isDeadman():
		done(p, nil)
		return
	case p.isChore():
		p.world.write("run %s", p.name())
		done(p, nil)
		time.AfterFunc(p.lasts, func() { p.end(p.exit) })
		return
	}
	p.world.write("start %s", p.name())
	done(p, nil)
	switch {
	case p.ready == 0:
		p.say(handshake.Message{Ready: true})
	case p.ready > 0:
		time.AfterFunc(p.ready, func() { p.say(handshake.Message{Ready: true}) })
	}
}

// isChore tells a command that is run to its end from a worker.
func (p *fakeProcess) isChore() bool { return p.cmd.Argv[0] == "/bin/sh" }

// env is what it finds in its environment.
func (p *fakeProcess) env(name string) string {
	for _, v := range slices.Backward(p.cmd.Env) {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// pool is whose worker it is.
func (p *fakeProcess) pool() string { return p.env("BROOD_POOL") }

// name is what the diary calls it.
func (p *fakeProcess) name() string {
	switch {
	case p.isChore():
		return p.cmd.Argv[2]
	case p.world.named:
		return fmt.Sprintf("%s.%s/%s", p.pool(), p.env("BROOD_SLOT"), p.env("BROOD_GENERATION"))
	}
	return fmt.Sprint(p.pid)
}

func (p *fakeProcess) say(m handshake.Message) {
	p.world.still.RLock()
	defer p.world.still.RUnlock()
	p.world.mu.Lock()
	silent := p.dead || p.notify == nil
	p.serves = p.serves || m.Ready
	notify := p.notify
	p.world.mu.Unlock()
	if !silent {
		notify(m, nil)
	}
}

func (p *fakeProcess) gone() bool {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return p.dead
}

// end is the death of the leading process.
func (p *fakeProcess) end(e worker.Exit) {
	p.world.still.RLock()
	defer p.world.still.RUnlock()
	p.world.mu.Lock()
	if p.dead {
		p.world.mu.Unlock()
		return
	}
	p.dead = true
	p.world.mu.Unlock()
	e.PID, e.Remains = p.pid, p.remains
	if !p.isChore() && !p.isDeadman() {
		p.world.write("end %s", p.name())
	}
	p.cmd.OnExit(e)
	if !p.remains && p.cmd.OnGone != nil {
		p.cmd.OnGone()
	}
}

func (p *fakeProcess) PID() int { return p.pid }

func (p *fakeProcess) Describe(use func(pidfd int)) { use(-1) }

// Hand has what nobody but us needs to know: the world knows the rest.
func (p *fakeProcess) Hand() worker.HandedProcess { return worker.HandedProcess{PID: p.pid} }

func (p *fakeProcess) Started() time.Time { return p.begun }

func (p *fakeProcess) Signal(sig syscall.Signal) error {
	if sig == syscall.SIGCONT {
		return nil
	}
	p.delay()
	p.world.write("%s %s", strings.TrimPrefix(worker.SignalName(sig), "SIG"), p.name())
	if p.gone() {
		return os.ErrProcessDone
	}
	if sig == syscall.SIGTERM && !p.stubborn {
		time.AfterFunc(max(p.drain, 1), func() { p.end(worker.Exit{}) }) // not in the middle of what the loop is at
	}
	if sig == syscall.SIGABRT && p.aborts {
		time.AfterFunc(1, func() { p.end(worker.Exit{Code: worker.CodeUnknown, Signal: sig, Core: true}) })
	}
	return nil
}

func (p *fakeProcess) delay() {
	if p.slow > 0 {
		<-time.After(p.slow)
	}
}

func (p *fakeProcess) SignalStrays(sig syscall.Signal) error {
	p.world.write("%s strays of %s", signalName(sig), p.name())
	return nil
}

func (p *fakeProcess) SignalGroup(sig syscall.Signal) error {
	p.delay()
	p.world.write("group %s %s", strings.TrimPrefix(worker.SignalName(sig), "SIG"), p.name())
	switch {
	case p.immune != nil:
		return p.immune
	case sig != syscall.SIGKILL:
	case p.gone() && p.remains:
		p.cmd.OnGone()
	default:
		p.end(worker.Exit{Code: worker.CodeUnknown, Signal: sig})
	}
	return nil
}

// burden sets how busy the workers are from now on.
func (w *world) burden(queued int, busy time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queued = queued
	for _, p := range w.procs {
		p.work()
	}
	w.busy = busy
}

// work counts what it used since the last look. The world is locked.
func (p *fakeProcess) work() {
	if p.looked.IsZero() {
		p.looked = p.begun
	}
	now := time.Now()
	p.used += time.Duration(now.Sub(p.looked).Seconds() * float64(p.world.busy))
	p.looked = now
}

func (w *world) cpuTime(pid int) (time.Duration, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.procs {
		if p.pid == pid && !p.dead {
			p.work()
			return p.used, nil
		}
	}
	return 0, os.ErrProcessDone
}

// openNotify numbers the notification sockets, so that a process is found by the address that it is given.
func (w *world) openNotify(on func(handshake.Message, error)) (Notify, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	address := fmt.Sprintf("@fake-%d", len(w.notifies)+1)
	w.notifies[address] = on
	return fakeNotify(address), nil
}

type fakeNotify string

func (f fakeNotify) Address() string { return string(f) }
func (f fakeNotify) Trust(uint32)    {}
func (f fakeNotify) Close() error    { return nil }

func (f fakeNotify) Hand() worker.HandedNotify {
	return worker.HandedNotify{FD: -1, Address: string(f)}
}

func (w *world) openOutput(Speaker, plan.Log) (Output, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outputs++
	return fakeOutput(w.outputs), nil
}

type fakeOutput int

func (o fakeOutput) Stdout() int              { return int(o) }
func (o fakeOutput) Stderr() int              { return int(o) }
func (o fakeOutput) Spawned(int)              {}
func (o fakeOutput) GiveTo(_, _ uint32) error { return nil }
func (o fakeOutput) Tail(int) []string        { return []string{"last words"} }
func (o fakeOutput) Close()                   {}
func (o fakeOutput) Hand() *HandedOutput      { return &HandedOutput{Handle: int(o)} }
