package supervisor

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// upgraded asks for an upgrade and lets it come about.
func (s *stage) upgraded() Verdict {
	s.t.Helper()
	a := s.ask(Request{Verb: Upgrade, UID: Nobody})
	s.after(time.Millisecond)
	return a.answer()
}

func TestUpgradeTouchesNoWorker(t *testing.T) {
	perform(t, &world{}, nil, func(s *stage) {
		s.after(time.Minute)
		begin := len(s.world.lines())
		before := s.sup.Snapshot()
		v := s.upgraded()
		if v.Err != nil || !strings.Contains(v.Text, "brood next goes on in place of test") || !strings.Contains(v.Text, "2 workers") {
			t.Errorf("%+v", v)
		}
		s.after(time.Hour)
		s.wantFrom(begin)
		after := s.sup.Snapshot()
		if after.Version != "next" || after.State != StateReady || !after.Started.Equal(before.Started) || after.Pools[0].Workers[1].PID != before.Pools[0].Workers[1].PID {
			t.Errorf("%+v\n%+v", before, after)
		}
		s.world.process(1).end(worker.Exit{Code: 3})
		s.after(time.Second)
		s.wantFrom(begin, "end 101", "start 102", "steer 0a", "steer 0a 1a")
		if got := s.sup.Snapshot().Pools[0].Restarts; got != 1 {
			t.Errorf("%d restarts", got)
		}
	})
}

func TestUpgradeRefused(t *testing.T) {
	for name, spoil := range map[string]func(*fakeUpgrader){
		"by the next program": func(u *fakeUpgrader) { u.refused = errors.New("it is too old") },
		"by the kernel":       func(u *fakeUpgrader) { u.failed = syscall.ENOEXEC },
	} {
		t.Run(name, func(t *testing.T) {
			perform(t, &world{}, nil, func(s *stage) {
				s.after(time.Minute)
				up, begin := s.sup.cfg.World.Upgrader.(*fakeUpgrader), len(s.world.lines())
				spoil(up)
				if v := s.upgraded(); !errors.Is(v.Err, ErrUpgrade) {
					t.Errorf("%+v", v)
				}
				s.world.process(0).end(worker.Exit{Code: 1})
				s.after(time.Second)
				s.wantFrom(begin, "end 100", "start 102", "steer 1a", "steer 0a 1a")
				up.refused, up.failed = nil, nil
				if v := s.upgraded(); v.Err != nil || up.done != 1 {
					t.Errorf("%+v, %d", v, up.done)
				}
			})
		})
	}
}

// Who waits for a rollout hears of its end from the program that ends it.
func TestUpgradeWithinRollout(t *testing.T) {
	w := &world{}
	w.behave = func(_ int, p *fakeProcess) { p.ready = 10 * time.Second }
	perform(t, w, nil, func(s *stage) {
		s.after(time.Minute)
		begin := len(s.world.lines())
		roll := s.ask(Request{Verb: Roll})
		s.after(time.Second)
		for range 5 {
			if v := s.upgraded(); v.Err != nil {
				t.Error(v.Err)
			}
			s.after(3 * time.Second)
		}
		if !roll.waits() {
			t.Fatalf("%+v", roll.answer())
		}
		s.after(time.Minute)
		if v := roll.answer(); v.Err != nil || v.Text != "pool web is at generation 2" {
			t.Errorf("%+v", v)
		}
		s.wantFrom(
			begin,
			"start 102", "steer 0b 1a", "TERM 100", "abandon 0a", "end 100",
			"start 103", "steer 0b 1b", "TERM 101", "abandon 1a", "end 101",
		)
	})
}

// A reload, and commands that run once, are waited for.
func TestUpgradeWaits(t *testing.T) {
	w := &world{reading: 10 * time.Second}
	w.behave = func(_ int, p *fakeProcess) {
		if p.isChore() {
			p.lasts = 20 * time.Second
		}
	}
	web := poolNamed("web", "http")
	web.PreStart = []string{"migrate"}
	d := plan.Desired{Listeners: []listener.Config{webListener()}, Pools: []plan.Pool{web}}
	perform(t, w, described(w, d), func(s *stage) {
		up := s.ask(Request{Verb: Upgrade})
		s.after(19 * time.Second)
		if !up.waits() {
			t.Fatalf("within pre_start: %+v", up.answer())
		}
		s.after(2 * time.Second)
		if v := up.answer(); v.Err != nil {
			t.Fatal(v.Err)
		}
		s.after(time.Minute)
		web.Spec.Workers = 3
		w.put(plan.Desired{Listeners: d.Listeners, Pools: []plan.Pool{web}}, nil)
		reload := s.ask(Request{Verb: Reload})
		up = s.ask(Request{Verb: Upgrade})
		s.after(9 * time.Second)
		if !up.waits() || !reload.waits() {
			t.Fatal("within a reload")
		}
		s.after(2 * time.Second)
		if a, b := reload.answer(), up.answer(); a.Err != nil || b.Err != nil {
			t.Errorf("%v, %v", a.Err, b.Err)
		}
		if n := s.sup.Snapshot().Pools[0].Ready; n != 3 {
			t.Errorf("%d workers", n)
		}
	})
}

// Within a stop nothing is upgraded; a stop within an upgrade ends that, and is obeyed.
func TestUpgradeAndStop(t *testing.T) {
	w := &world{}
	w.behave = func(_ int, p *fakeProcess) { p.drain = 10 * time.Second }
	perform(t, w, nil, func(s *stage) {
		s.after(time.Minute)
		hold := make(chan struct{})
		s.sup.cfg.World.Upgrader.(*fakeUpgrader).hush = hold
		up := s.ask(Request{Verb: Upgrade})
		s.signals <- syscall.SIGTTIN // too late for this program
		s.signals <- syscall.SIGTERM
		s.after(time.Second)
		if v := up.answer(); !errors.Is(v.Err, ErrUpgrade) || !errors.Is(v.Err, ErrStopped) {
			t.Errorf("%+v", v)
		}
		close(hold)
		if v := s.upgraded(); !errors.Is(v.Err, ErrStopped) {
			t.Errorf("%+v", v)
		}
		s.after(time.Minute)
	})
}

// What comes while others fall silent is done by the next program: signals, and starts.
func TestUpgradeHandsOnWhatComes(t *testing.T) {
	perform(t, &world{handling: worker.Catches}, nil, func(s *stage) {
		s.after(time.Minute)
		begin := len(s.world.lines())
		hold := make(chan struct{})
		s.sup.cfg.World.Upgrader.(*fakeUpgrader).hush = hold
		up := s.ask(Request{Verb: Upgrade})
		s.signals <- syscall.SIGTTIN
		s.world.process(1).end(worker.Exit{Code: 1})
		s.after(time.Second)
		s.wantFrom(begin, "end 101", "steer 0a")
		close(hold)
		s.after(time.Second)
		if v := up.answer(); v.Err != nil {
			t.Fatal(v.Err)
		}
		if p := s.sup.Snapshot().Pools[0]; p.Ready != 3 || p.Restarts != 1 {
			t.Errorf("%+v", p)
		}
	})
}

// SIGHUP goes on as another program if there is one, which then reloads; else this one does.
func TestUpgradeOnReload(t *testing.T) {
	for name, tt := range map[string]struct {
		changed bool
		refused error
		done    int
		version string
	}{
		"another program":               {true, nil, 1, "next"},
		"the same":                      {false, nil, 0, "test"},
		"another one that cannot go on": {true, errors.New("it is too old"), 0, "test"},
	} {
		t.Run(name, func(t *testing.T) {
			perform(t, &world{handling: worker.Catches}, func(c *Config) { c.UpgradeOnReload = true }, func(s *stage) {
				s.after(time.Minute)
				up := s.sup.cfg.World.Upgrader.(*fakeUpgrader)
				up.changed, up.refused = tt.changed, tt.refused
				begin := len(s.world.lines())
				s.signals <- syscall.SIGHUP
				s.after(time.Minute)
				if got := s.sup.Snapshot().Version; got != tt.version || up.done != tt.done {
					t.Errorf("it is %s, after %d upgrades", got, up.done)
				}
				got := s.world.lines()[begin:]
				slices.Sort(got)
				if !slices.Equal(got, []string{"HUP 100", "HUP 101"}) {
					t.Errorf("workers heard %v", got)
				}
			})
		})
	}
}

// Deadlines go on: they do not begin anew.
func TestUpgradeKeepsDeadlines(t *testing.T) {
	w := &world{}
	w.behave = func(_ int, p *fakeProcess) { p.stubborn = true }
	perform(t, w, func(c *Config) { c.Desired.Pools[0].Spec.Workers = 1; c.Desired.Pools[0].Spec.Settle = 0 }, func(s *stage) {
		s.after(time.Minute)
		roll := s.ask(Request{Verb: Roll})
		begin := time.Now()
		for range 25 {
			s.after(time.Second)
			if v := s.upgraded(); v.Err != nil {
				t.Fatal(v.Err)
			}
		}
		for roll.waits() || len(s.sup.Snapshot().Pools[0].Workers) > 1 {
			s.after(100 * time.Millisecond)
		}
		if took := time.Since(begin); took < 29*time.Second || took > 31*time.Second {
			t.Errorf("its grace of 30s took %s", took)
		}
	})
}

// What was left to the next program is done by this one if that does not come.
func TestUpgradeRefusedLosesNothing(t *testing.T) {
	perform(t, &world{handling: worker.Catches}, nil, func(s *stage) {
		s.after(time.Minute)
		up, begin := s.sup.cfg.World.Upgrader.(*fakeUpgrader), len(s.world.lines())
		up.hush, up.failed = make(chan struct{}), syscall.E2BIG
		asked := s.ask(Request{Verb: Upgrade})
		s.world.process(1).end(worker.Exit{Code: 1})
		s.signals <- syscall.SIGTTIN
		s.after(time.Second)
		s.wantFrom(begin, "end 101", "steer 0a")
		close(up.hush)
		s.after(time.Second)
		if v := asked.answer(); !errors.Is(v.Err, ErrUpgrade) || !strings.Contains(v.Err.Error(), "argument list too long") {
			t.Errorf("%+v", v)
		}
		if p := s.sup.Snapshot().Pools[0]; p.Ready != 3 || p.Restarts != 1 {
			t.Errorf("%+v", p)
		}
	})
}

// The manager's watchdog is fed at once: the last time may be half of its patience ago.
func TestUpgradeFeedsTheWatchdog(t *testing.T) {
	w := &world{watchdog: 10 * time.Second}
	perform(t, w, nil, func(s *stage) {
		s.after(9*time.Second + 900*time.Millisecond)
		begin := len(w.told())
		s.upgraded()
		if told := w.told()[begin:]; !slices.Contains(told, "WATCHDOG=1") {
			t.Errorf("told: %q", told)
		}
	})
}

// A reload that workers were told of is counted by the next program, and their sockets are put right.
func TestUpgradeWithinReload(t *testing.T) {
	perform(t, &world{handling: worker.Catches}, nil, func(s *stage) {
		s.after(time.Minute)
		if v := s.ask(Request{Verb: Reload}).answer(); v.Err != nil {
			t.Fatal(v.Err)
		}
		if v := s.upgraded(); v.Err != nil {
			t.Fatal(v.Err)
		}
		if n := s.sup.Snapshot().Pools[0].Reloads.Done; n != 0 {
			t.Errorf("%d reloads are through", n)
		}
		s.after(2 * time.Second)
		if n := s.sup.Snapshot().Pools[0].Reloads.Done; n != 1 {
			t.Errorf("%d reloads are counted", n)
		}
	})
}
