package supervisor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
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
	hold     chan struct{} // if not nil, starts wait for it
	watchdog time.Duration
}

type fakeProcess struct {
	world    *world
	pid      int
	cmd      worker.Command
	begun    time.Time
	stubborn bool          // ignores the stop signal
	drain    time.Duration // from the stop signal to the end
	ready    time.Duration // from the start to READY=1; negative is never
	err      error         // it never runs
	notify   func(handshake.Message, error)
	dead     bool
	remains  bool
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

// launch starts a fake process. Its notification socket is the one that was opened last.
func (w *world) launch(cmd worker.Command, done func(Process, error)) {
	w.mu.Lock()
	n := w.launched
	w.launched++
	p := &fakeProcess{world: w, pid: 100 + n, cmd: cmd, begun: time.Now(), notify: notifies[cmd.Stdout]}
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
	if p.err != nil {
		p.world.write("failed %d", p.pid)
		done(nil, p.err)
		return
	}
	p.world.write("start %d", p.pid)
	done(p, nil)
	switch {
	case p.ready == 0:
		p.say(handshake.Message{Ready: true})
	case p.ready > 0:
		time.AfterFunc(p.ready, func() { p.say(handshake.Message{Ready: true}) })
	}
}

func (p *fakeProcess) say(m handshake.Message) {
	if !p.gone() {
		p.notify(m, nil)
	}
}

func (p *fakeProcess) gone() bool {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return p.dead
}

// end is the death of the leading process.
func (p *fakeProcess) end(e worker.Exit) {
	p.world.mu.Lock()
	if p.dead {
		p.world.mu.Unlock()
		return
	}
	p.dead = true
	p.world.mu.Unlock()
	e.PID, e.Remains = p.pid, p.remains
	p.world.write("end %d", p.pid)
	p.cmd.OnExit(e)
	if !p.remains {
		p.cmd.OnGone()
	}
}

func (p *fakeProcess) PID() int           { return p.pid }
func (p *fakeProcess) Started() time.Time { return p.begun }

func (p *fakeProcess) Signal(sig syscall.Signal) error {
	if sig == syscall.SIGCONT {
		return nil
	}
	p.world.write("%s %d", strings.TrimPrefix(worker.SignalName(sig), "SIG"), p.pid)
	if p.gone() {
		return os.ErrProcessDone
	}
	if sig == syscall.SIGTERM && !p.stubborn {
		time.AfterFunc(p.drain, func() { p.end(worker.Exit{}) })
	}
	return nil
}

func (p *fakeProcess) SignalGroup(sig syscall.Signal) error {
	p.world.write("group %s %d", strings.TrimPrefix(worker.SignalName(sig), "SIG"), p.pid)
	switch {
	case sig != syscall.SIGKILL:
	case p.gone() && p.remains:
		p.cmd.OnGone()
	default:
		p.end(worker.Exit{Code: worker.CodeUnknown, Signal: sig})
	}
	return nil
}

// fakeOutput numbers the outputs, so that launch finds the notification socket that goes with one.
type fakeOutput struct{ n int }

func (o fakeOutput) Stdout() int              { return o.n }
func (o fakeOutput) Stderr() int              { return o.n }
func (o fakeOutput) Spawned()                 {}
func (o fakeOutput) GiveTo(_, _ uint32) error { return nil }
func (o fakeOutput) Tail(int) []string        { return []string{"last words"} }
func (o fakeOutput) Close()                   {}

type fakeNotify struct{ n int }

func (f fakeNotify) Address() string { return fmt.Sprintf("@fake-%d", f.n) }
func (f fakeNotify) Trust(uint32)    {}
func (f fakeNotify) Close() error    { return nil }

// notifies maps the number of an output to the notification callback opened just before it. The loop opens the two one
// after the other, so the numbers agree.
var notifies map[int]func(handshake.Message, error)

// fakeSockets opens fake listeners.
type fakeSockets struct{ world *world }

func webListener() listener.Config {
	return listener.Config{Name: "http", Address: listener.Address{Network: "tcp", Host: "127.0.0.1", Port: 80}, Mode: listener.Sharded}
}

func (s fakeSockets) Open(wants []listener.Want) ([]Listener, error) {
	var all []Listener
	for i := range wants {
		if wants[i].Config.Address.Port == brokenPort {
			return nil, &listener.OpenError{Config: wants[i].Config, Op: "open", Err: listener.ErrInUse}
		}
		l := &fakeListener{world: s.world, cfg: wants[i].Config}
		if wants[i].Config.Name != "http" {
			s.world.write("open %s", l.Name())
		}
		all = append(all, l)
	}
	return all, nil
}

// brokenPort cannot be listened on.
const brokenPort = 13

// fakeListener writes down how it is steered.
type fakeListener struct {
	world *world
	cfg   listener.Config
}

func (l *fakeListener) Name() string              { return l.cfg.Name }
func (l *fakeListener) Mode() listener.Mode       { return listener.Sharded }
func (l *fakeListener) Address() listener.Address { return l.cfg.Address }
func (l *fakeListener) Grow(int) error            { return nil }

func (l *fakeListener) Adjust(cfg listener.Config) error {
	if cfg != l.cfg {
		l.world.write("adjust %s", cfg.Name)
	}
	l.cfg = cfg
	return nil
}

func (l *fakeListener) Pause() error  { l.world.write("pause %s", l.Name()); return nil }
func (l *fakeListener) Resume() error { l.world.write("resume %s", l.Name()); return nil }
func (l *fakeListener) Close() error  { l.world.write("close %s", l.Name()); return nil }

// at is how the diary names a listener that is not the usual one.
func (l *fakeListener) at() string {
	if l.cfg.Name == "http" {
		return ""
	}
	return " " + l.cfg.Name
}

func (l *fakeListener) Datagram() bool                                      { return false }
func (l *fakeListener) FD(slot int, side listener.Side) int                 { return 10 + 2*slot + int(side) }
func (l *fakeListener) Port(int) int                                        { return 80 }
func (l *fakeListener) Inode(int, listener.Side) uint64                     { return 1 }
func (l *fakeListener) Restore(int, listener.Side) (listener.Repair, error) { return 0, nil }
func (l *fakeListener) Adopt(int, listener.Side) error                      { return nil }
func (l *fakeListener) Dial(context.Context, int, listener.Side) (net.Conn, error) {
	return nil, listener.ErrNoLane
}

func (l *fakeListener) Abandon(slot int, side listener.Side) error {
	l.world.write("abandon %d%s", slot, machine.Side(side))
	return nil
}

func (l *fakeListener) Steer(members []listener.Member) error {
	var b strings.Builder
	for _, m := range members {
		fmt.Fprintf(&b, " %d%s", m.Slot, machine.Side(m.Side))
	}
	l.world.write("steer%s%s", l.at(), b.String())
	return nil
}

// stage is a supervisor of fakes in a bubble of fake time.
type stage struct {
	t       *testing.T
	world   *world
	sup     *Supervisor
	signals chan os.Signal
	code    chan int
	log     *lockedBuffer
}

// perform runs a story on a stage. Whatever the story leaves running is killed at its end.
func perform(t *testing.T, w *world, change func(*Config), story func(*stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, w, change)
		story(s)
		for range 4 {
			s.signals <- syscall.SIGTERM
			synctest.Wait()
		}
		select {
		case <-s.code:
		default:
			t.Error("the supervisor does not end")
		}
	})
}

func newStage(t *testing.T, w *world, change func(*Config)) *stage {
	t.Helper()
	notifies = map[int]func(handshake.Message, error){}
	opened, outputs := 0, 0
	s := &stage{t: t, world: w, signals: make(chan os.Signal, 16), code: make(chan int, 1), log: &lockedBuffer{}}
	cfg := Config{
		Name: "web", Version: "test", Log: zerolog.New(s.log).Level(zerolog.InfoLevel),
		World: World{
			Sockets: fakeSockets{w},
			Launch:  w.launch,
			OpenNotify: func(on func(handshake.Message, error)) (Notify, error) {
				opened++
				notifies[opened] = on
				return fakeNotify{opened}, nil
			},
			OpenOutput: func(string, string) (Output, error) {
				outputs++
				return fakeOutput{outputs}, nil
			},
			Serving:     func(int, []uint64) (bool, error) { return false, nil },
			ServingPort: func(int, int) (bool, error) { return false, nil },
			Handles:     func(int, syscall.Signal) (worker.Handling, error) { return w.handling, nil },
			Systemd: func(state string) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.systemd = append(w.systemd, state)
			},
			WatchdogInterval: w.watchdog,
		},
		Desired: plan.Desired{Listeners: []listener.Config{webListener()}, Pools: []plan.Pool{{
			Name: "web", Recipe: worker.RecipeConfig{Argv: []string{"server"}}, Listen: []string{"http"},
			Ready:   worker.Readiness{Kind: worker.ReadyNotify},
			Signals: worker.Signals{Stop: syscall.SIGTERM, Reload: syscall.SIGHUP, Dump: syscall.SIGUSR2},
			Spec: machine.Spec{
				Workers: 2, MaxSurge: 1, LastID: 100, ReadyTimeout: time.Minute, Settle: time.Second,
				Grace: 30 * time.Second, DumpGap: 1200 * time.Millisecond,
				Backoff: machine.Backoff{Base: time.Second, Max: 30 * time.Second, StableAfter: time.Minute, RecycleAge: time.Second},
			},
		}}},
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	s.sup, err = New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	go func() { s.code <- s.sup.Run(s.signals) }()
	synctest.Wait()
	return s
}

// after lets time pass, and everything that it brings happen.
func (s *stage) after(d time.Duration) {
	time.Sleep(d) // fake time: the bubble's clock jumps
	synctest.Wait()
}

func (s *stage) want(lines ...string) {
	s.t.Helper()
	if got := s.world.lines(); !slices.Equal(got, lines) {
		s.t.Errorf("diary:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(lines, "\n  "))
	}
}

// logged finds the log lines of a message, as objects.
func (s *stage) logged(message string) []map[string]any {
	var found []map[string]any
	for line := range bytes.Lines(s.log.bytes()) {
		var m map[string]any
		if json.Unmarshal(line, &m) == nil && m["message"] == message {
			found = append(found, m)
		}
	}
	return found
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.b.Bytes())
}
