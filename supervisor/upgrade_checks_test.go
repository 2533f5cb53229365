package supervisor

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/probe"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// A command that asks whether a worker is well is nobody's in another program: an upgrade ends it, and does not count that as
// an answer. The worker is asked again, by whichever program goes on.
func TestUpgradeWithinChecks(t *testing.T) {
	for name, failed := range map[string]error{"": nil, "which the kernel refuses": syscall.ENOEXEC} {
		t.Run(name, func(t *testing.T) {
			w := &world{behave: func(_ int, p *fakeProcess) {
				if p.isChore() {
					p.lasts = 20 * time.Second
				}
			}}
			check := func(failures int) *plan.Probe {
				return &plan.Probe{Config: probe.Config{Kind: probe.Exec, Command: "ask", Period: 21 * time.Second, Timeout: 30 * time.Second, FailureThreshold: failures}}
			}
			asked := func() int { return strings.Count(strings.Join(w.lines(), "\n"), "run ask") }
			perform(t, w, single(func(p *plan.Pool) { p.Health.Startup, p.Health.Liveness = check(5), check(1) }), func(s *stage) {
				up := s.sup.cfg.World.Upgrader.(*fakeUpgrader)
				up.failed = failed
				for _, at := range []time.Duration{10 * time.Second, time.Minute} { // within its start, and when it serves
					s.after(at)
					before := asked()
					if v := s.upgraded(); errors.Is(v.Err, ErrUpgrade) != (failed != nil) || !errors.Is(v.Err, failed) {
						t.Errorf("after %s: %+v", at, v)
					}
					s.after(time.Minute)
					if asked() < before+2 {
						t.Errorf("after %s it is not asked any more", at)
					}
				}
				if p := s.sup.Snapshot().Pools[0]; p.Ready != 1 || p.Restarts != 0 {
					t.Errorf("%+v", p)
				}
			})
		})
	}
}

// So does a command that asks whether a requirement holds. Nobody is told that it does not.
func TestUpgradeWithinRequirements(t *testing.T) {
	for name, failed := range map[string]error{"": nil, "which the kernel refuses": syscall.ENOEXEC} {
		t.Run(name, func(t *testing.T) {
			w := &world{
				behave: func(_ int, p *fakeProcess) {
					if p.isChore() {
						p.lasts = 20 * time.Second
					}
				},
				check: func(ctx context.Context, within time.Duration, c Checked) []error {
					ctx, cancel := context.WithTimeout(ctx, max(within, 25*time.Second))
					defer cancel()
					if err := c.Run(ctx, "look"); err != nil {
						return []error{err}
					}
					return nil
				},
			}
			asking := func() int { return len(w.chores()) }
			perform(t, w, single(func(p *plan.Pool) { p.Requires, p.RequiresTimeout = []string{"exec:look"}, 25*time.Second }), func(s *stage) {
				up := s.sup.cfg.World.Upgrader.(*fakeUpgrader)
				for _, story := range []struct {
					what  string
					begin func()
					asks  int // afterwards
				}{
					{"before the first worker", func() {}, 2}, // for the start, and for who wants to know
					{"after a death", func() { w.living()[0].end(worker.Exit{Code: 1}) }, 0},
				} {
					story.begin()
					s.after(10 * time.Second)
					if n := asking(); n == 0 {
						t.Fatalf("%s nobody asks", story.what)
					}
					up.failed = failed
					if failed != nil {
						story.asks = asking()
					}
					if v := s.upgraded(); !errors.Is(v.Err, failed) {
						t.Errorf("%s: %+v", story.what, v)
					}
					if n := asking(); n != story.asks {
						t.Errorf("%s: %d ask after the upgrade, want %d", story.what, n, story.asks)
					}
					s.after(time.Minute)
					if p := s.sup.Snapshot().Pools[0]; p.Ready != 1 || len(p.Unmet) > 0 || asking() > 0 {
						t.Errorf("%s: %+v", story.what, p)
					}
				}
				for _, wrong := range []string{"requirement does not hold yet", "requirement does not hold any more"} {
					if lines := s.logged(wrong); len(lines) > 0 {
						t.Errorf("%v", lines)
					}
				}
			})
		})
	}
}

// What became of a reload is found out although an upgrade that does not come about ended the wait for it.
func TestUpgradeRefusedAfterReload(t *testing.T) {
	perform(t, &world{handling: worker.Catches}, nil, func(s *stage) {
		s.after(time.Minute)
		s.sup.cfg.World.Upgrader.(*fakeUpgrader).failed = syscall.ENOEXEC
		s.signals <- syscall.SIGHUP
		s.after(afterReload / 2)
		if v := s.upgraded(); !errors.Is(v.Err, ErrUpgrade) {
			t.Errorf("%+v", v)
		}
		s.after(time.Minute)
		if r := s.sup.Snapshot().Pools[0].Reloads; r.Done != 1 || r.Failed != 0 {
			t.Errorf("%+v", r)
		}
	})
}
