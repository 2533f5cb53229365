package supervisor

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/probe"
	"github.com/broodctl/brood/supervisor/plan"
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
