package supervisor

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/worker"
)

func TestSystemdHearsReadyOnlyWhenEverySlotIs(t *testing.T) {
	w := &world{behave: func(n int, p *fakeProcess) { p.ready = time.Duration(n) * time.Second }}
	perform(t, w, nil, func(s *stage) {
		s.after(time.Second - time.Nanosecond)
		if told := s.world.told(); slices.ContainsFunc(told, func(m string) bool { return strings.Contains(m, "READY=1") }) {
			t.Errorf("ready too early: %q", told)
		}
		if told := s.world.told(); !slices.Contains(told, "STATUS=1/2 ready") {
			t.Errorf("no status: %q", told)
		}
		s.after(time.Nanosecond)
		if told := s.world.told(); !slices.Contains(told, "READY=1\nSTATUS=2/2 ready") {
			t.Errorf("not ready: %q", told)
		}
		s.signals <- syscall.SIGTERM
		synctest.Wait()
		if told := s.world.told(); !slices.ContainsFunc(told, func(m string) bool {
			return strings.HasPrefix(m, "STOPPING=1\nEXTEND_TIMEOUT_USEC=")
		}) {
			t.Errorf("not stopping: %q", told)
		}
	})
}

func TestSystemdHearsOfAReloadFromBeginningToEnd(t *testing.T) {
	w := &world{handling: worker.Dies}
	perform(t, w, nil, func(s *stage) {
		s.signals <- syscall.SIGHUP
		s.after(10 * time.Second)
		told := s.world.told()
		begin := slices.IndexFunc(told, func(m string) bool { return strings.HasPrefix(m, "RELOADING=1\nMONOTONIC_USEC=") })
		end := slices.IndexFunc(told, func(m string) bool { return m == "READY=1" })
		if begin < 0 || end < begin {
			t.Errorf("told: %q", told)
		}
	})
}

func TestWatchdogIsFedAtHalfItsInterval(t *testing.T) {
	w := &world{watchdog: 10 * time.Second}
	perform(t, w, nil, func(s *stage) {
		s.after(20 * time.Second)
		n := 0
		for _, m := range s.world.told() {
			if m == "WATCHDOG=1" {
				n++
			}
		}
		if n != 4 {
			t.Errorf("fed %d times in 20 s, want 4", n)
		}
	})
}

func TestFailedReloadStaysInTheStatus(t *testing.T) {
	w := &world{handling: worker.Dies, behave: func(n int, p *fakeProcess) {
		if n == 2 {
			p.ready = -1
			time.AfterFunc(time.Second, func() { p.end(worker.Exit{Code: 3}) })
		}
	}}
	perform(t, w, nil, func(s *stage) {
		s.signals <- syscall.SIGHUP
		s.after(5 * time.Second)
		told := s.world.told()
		last := told[len(told)-1]
		if !strings.Contains(last, "2/2 ready, rollout of generation 2 failed: worker web.0") || !slices.Contains(told, "READY=1") {
			t.Errorf("told: %q", told)
		}
		s.signals <- syscall.SIGTERM
		synctest.Wait()
		s.signals <- syscall.SIGHUP
		synctest.Wait()
		n := 0
		for _, m := range s.world.told() {
			if strings.HasPrefix(m, "RELOADING=1") {
				n++
			}
		}
		if n != 1 {
			t.Errorf("reloading was said %d times, want once: not while stopping", n)
		}
	})
}
