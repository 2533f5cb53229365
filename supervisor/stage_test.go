package supervisor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
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

// stage is a supervisor of fakes in a bubble of fake time.
type stage struct {
	t       testing.TB
	world   *world
	sup     *Supervisor
	signals chan os.Signal
	code    chan int
	log     *lockedBuffer
	tickets int

	mu   sync.Mutex
	over context.Context //nolint:containedctx // of the program at hand
	die  context.CancelFunc
}

// perform runs a story on a stage. Whatever the story leaves running is killed at its end.
func perform(t *testing.T, w *world, change func(*Config), story func(*stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, w, change)
		story(s)
		s.end()
	})
}

// end ends the supervisor, if nothing has.
func (s *stage) end() {
	s.t.Helper()
	for range 4 {
		s.signals <- syscall.SIGTERM
		synctest.Wait()
	}
	select {
	case <-s.code:
	default:
		s.t.Error("the supervisor does not end")
	}
	if wrong := s.world.misused(); len(wrong) > 0 {
		s.t.Errorf("misuse of listeners: %s\n%s", strings.Join(wrong, ", "), strings.Join(s.world.lines(), "\n"))
	}
}

func newStage(t testing.TB, w *world, change func(*Config)) *stage {
	t.Helper()
	w.notifies = map[string]func(handshake.Message, error){}
	s := &stage{t: t, world: w, signals: make(chan os.Signal, 16), code: make(chan int, 1), log: &lockedBuffer{}}
	web := poolNamed("web", "http")
	web.Spec.LastID = 100
	up := &fakeUpgrader{stage: s}
	cfg := Config{
		Name: "web", Version: "test", Log: zerolog.New(s.log).Level(zerolog.InfoLevel),
		World: World{
			Sockets:     fakeSockets{w},
			Launch:      w.launch,
			OpenNotify:  w.openNotify,
			OpenOutput:  w.openOutput,
			Serving:     func(int, []uint64) (bool, error) { return false, nil },
			ServingPort: func(int, int) (bool, error) { return false, nil },
			Handles:     func(int, syscall.Signal) (worker.Handling, error) { return w.handling, nil },
			Stopped:     w.isStopped,
			Memory:      w.memory,
			Connections: w.connections,
			Doing:       func(int) string { return "state S" },
			Check:       w.checkAll,
			CPUTime:     w.cpuTime,
			Upgrader:    up,
			Heir:        w.heir(),
			Systemd: func(state string) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.systemd = append(w.systemd, state)
			},
			WatchdogInterval: w.watchdog,
		},
		Desired: plan.Desired{Listeners: []listener.Config{webListener()}, Pools: []plan.Pool{web}},
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	s.sup, err = New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.over, s.die = context.WithCancel(context.Background())
	go func(sup *Supervisor) { s.code <- sup.Run(s.signals) }(s.sup)
	synctest.Wait()
	return s
}

// poolNamed is a pool of two that say when they are ready.
func poolNamed(name string, listen ...string) plan.Pool {
	return plan.Pool{
		Name: name, Recipe: worker.RecipeConfig{Argv: []string{"server"}}, Listen: listen,
		Ready:   worker.Readiness{Kind: worker.ReadyNotify},
		Signals: worker.Signals{Stop: syscall.SIGTERM, Reload: syscall.SIGHUP, Dump: syscall.SIGUSR2},
		Spec: machine.Spec{
			Workers: 2, MaxSurge: 1, LastID: math.MaxInt32, ReadyTimeout: time.Minute, Settle: time.Second,
			Grace: 30 * time.Second, DumpGap: 1200 * time.Millisecond,
			Backoff: machine.Backoff{Base: time.Second, Max: 30 * time.Second, StableAfter: time.Minute, RecycleAge: time.Second},
		},
	}
}

// checkAll finds what is missing, at once.
func (w *world) checkAll(ctx context.Context, timeout time.Duration, c Checked) []error {
	if w.check != nil {
		return w.check(ctx, timeout, c)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var unmet []error
	for _, r := range c.Requires {
		if w.missing[r] {
			unmet = append(unmet, fmt.Errorf("%s is not there", r))
		}
	}
	return unmet
}

// load reads what the file says now.
func (w *world) load() (plan.Desired, error) {
	<-time.After(w.reading)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	return w.file, w.broken
}

// put writes another configuration file.
func (w *world) put(d plan.Desired, broken error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.file, w.broken = d, broken
}

// lacks says whether something that is required is there.
func (w *world) lacks(what string, missing bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.missing == nil {
		w.missing = map[string]bool{}
	}
	w.missing[what] = missing
}

// after lets time pass, and everything that it brings happen.
func (s *stage) after(d time.Duration) {
	s.settle()
	time.Sleep(d) // fake time: the bubble's clock jumps
	synctest.Wait()
}

// settle puts what a story has read of the loop's state before what the loop does next.
func (s *stage) settle() {
	s.sup.mail.mu.Lock()
	defer s.sup.mail.mu.Unlock()
}

func (s *stage) want(lines ...string) {
	s.t.Helper()
	s.wantFrom(0, lines...)
}

// wantFrom compares the diary from a line on.
func (s *stage) wantFrom(begin int, lines ...string) {
	s.t.Helper()
	if got := s.world.lines()[begin:]; !slices.Equal(got, lines) {
		s.t.Errorf("diary:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(lines, "\n  "))
	}
}

// summary is the one line about the state.
func (s *stage) summary() string {
	snap := s.sup.Snapshot()
	return snap.Summary()
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

// asked is a request whose answer is to come.
type asked struct {
	stage   *stage
	verdict chan Verdict
}

// ask asks, and asks again of the next program.
func (s *stage) ask(req Request) *asked {
	a := &asked{stage: s, verdict: make(chan Verdict, 1)}
	s.tickets++
	req.Ticket = fmt.Sprintf("op-%d", s.tickets)
	sup, over := s.now()
	go func() {
		v := sup.Do(over, req)
		for over.Err() != nil && len(a.verdict) == 0 && errors.Is(v.Err, context.Canceled) {
			sup, over = s.now()
			v = sup.Rejoin(over, req.Ticket)
		}
		a.verdict <- v
	}()
	synctest.Wait()
	return a
}

// waits reports whether there is no answer yet.
func (a *asked) waits() bool { return len(a.verdict) == 0 }

// answer is the verdict, which must be there.
func (a *asked) answer() Verdict {
	a.stage.t.Helper()
	select {
	case v := <-a.verdict:
		return v
	default:
		a.stage.t.Error("no answer")
		return Verdict{}
	}
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
