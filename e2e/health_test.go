//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/testguest"
)

// asked is a probe of a pool that finds out soon.
func asked(kind string) keys {
	at := "pool.web." + kind + "."
	return keys{at + "http": word("/health"), at + "period": `"100ms"`, at + "timeout": `"500ms"`, at + "failure_threshold": "3"}
}

// moods is a directory that says how guests misbehave, or answer for their health
// alone.
type moods string

func newMoods(t *testing.T) moods { return moods(scratch(t, os.Geteuid())) }

// guest is one that answers for its health as the moods say.
func (m moods) guest(more ...string) []string {
	return append([]string{"http", "-notify", "-work", "5ms", "-moods", string(m), "-mood-path", "/health"}, more...)
}

// put gives somebody a mood: a pid, or all.
func (m moods) put(t *testing.T, who, mood string) {
	t.Helper()
	write(t, filepath.Join(string(m), who), mood)
}

func (m moods) clear(t *testing.T, who string) {
	t.Helper()
	if err := os.Remove(filepath.Join(string(m), who)); err != nil {
		t.Fatal(err)
	}
}

// TestWorkersThatDoNotPass: a worker whose port answers with an error, or too late,
// is replaced. Nothing is lost but what it had in hand.
func TestWorkersThatDoNotPass(t *testing.T) {
	for name, mood := range map[string]string{"503": "503", "late": "2s"} {
		t.Run(name, func(t *testing.T) {
			m := newMoods(t)
			h := startHarmed(t, asked("liveness"), m.guest()...)
			h.harm("probe", func(pid int) error { m.put(t, strconv.Itoa(pid), mood); return nil })
			h.lossless(5000, h.atTheirEnd)
			for i, e := range h.said(gaveUp) {
				for _, ready := range h.said("worker ready") {
					if ready.Slot == e.Slot && ready.Time.After(e.Time) {
						t.Logf("%d: %q; its successor was ready %s later", i, e.Detail, ready.Time.Sub(e.Time).Round(time.Millisecond))
						break
					}
				}
			}
		})
	}
}

// TestUnreadyWorkerIsKept: a worker that says it is not ready gets no connections,
// lives on, and gets some again when it is.
func TestUnreadyWorkerIsKept(t *testing.T) {
	t.Parallel()
	moods := newMoods(t)
	h := startHarmed(t, asked("readiness"), moods.guest()...)
	before := h.status().named("web")
	victim := before.Workers[2]
	pid := strconv.Itoa(victim.PID)
	for range 3 {
		moods.put(t, pid, "503")
		h.await("the worker to be unready", func() bool {
			return h.status().named("web").Workers[2].State == "unready"
		})
		if served := h.servedBy(t, 200); served[2] != 0 {
			t.Errorf("an unready worker served: %v", served)
		}
		moods.clear(t, pid)
		h.await("the worker to be ready again", func() bool { return h.status().named("web").whole() })
		if served := h.servedBy(t, 200); served[2] == 0 {
			t.Errorf("a worker that is ready again served nothing: %v", served)
		}
	}
	if after := h.status().named("web"); !slices.Equal(before.pids(), after.pids()) {
		t.Errorf("there are other workers:\nbefore %s\nafter %s", before, after)
	}
	h.flawless()
}

// TestFlappingWorkers: workers that are ready by turns are steered to by turns, and
// nothing else happens to them.
func TestFlappingWorkers(t *testing.T) {
	t.Parallel()
	moods := newMoods(t)
	h := startHarmed(t, asked("readiness").with("pool.web.readiness.failure_threshold", "1"), moods.guest("-mood", "flap:4,503")...)
	before := h.status().named("web")
	h.await("workers to have flapped for a while", func() bool {
		return len(h.said("worker is not ready any more")) >= 12 && len(h.said("worker works again")) >= 12
	})
	if after := h.status().named("web"); !slices.Equal(before.pids(), after.pids()) || after.Restarts > 0 {
		t.Errorf("there are other workers:\nbefore %s\nafter %s", before, after)
	}
	h.flawless()
}

// servedBy says how many of so many requests each slot serves now.
func (h *harmed) servedBy(t *testing.T, n int) map[int]int {
	t.Helper()
	result, err := loadgen.Run(t.Context(), loadgen.Config{Address: h.address, Clients: 4, Requests: n, Timeout: patience})
	if err != nil || result.Failed() > 0 {
		t.Errorf("%v\n%s", err, &result)
	}
	return result.Slots()
}

// flawless ends the load, and demands that nothing failed.
func (h *harmed) flawless() {
	h.t.Helper()
	result := h.load.Stop()
	h.stop()
	if result.Failed() > 0 || result.OK() < 1000 {
		h.t.Errorf("some failed:\n%s", &result)
	}
}

// TestFailureThatNoRestartCures: when no worker passes, for want of something outside
// of all of them, they are replaced one at a time and later and later, and the
// others serve on.
func TestFailureThatNoRestartCures(t *testing.T) {
	t.Parallel()
	moods := newMoods(t)
	h := startHarmed(t, asked("liveness").with("pool.web.restart.backoff", `"500ms"`, "pool.web.restart.max_backoff", `"1h"`), moods.guest()...)
	moods.put(t, "all", "503")
	h.await("some to have been replaced", func() bool { return h.causes()["probe"] >= 6 })
	if n := len(h.said("worker does not work, and stays for now, because others are being replaced")); n == 0 {
		t.Error("nothing says that workers stay because others are being replaced")
	}
	if state := h.status().State; state != "degraded" {
		t.Errorf("the state is %s", state)
	}
	moods.clear(t, "all")
	h.await("all to work again", func() bool { return h.status().named("web").whole() && h.status().State == "ready" })
	// One at a time: between two deaths the successor of the first was ready, or gave up.
	down := 0
	for _, e := range h.said(gaveUp, "worker ready") {
		switch {
		case e.Message == "worker ready":
			down = max(0, down-1)
		default:
			if down++; down > 1 {
				t.Errorf("at %s %d were being replaced", e.Time, down)
			}
		}
	}
	h.lossless(5000, h.atTheirEnd)
}

// TestWorkerThatIgnoresEverything: it neither answers nor heeds any signal that can
// be ignored.
func TestWorkerThatIgnoresEverything(t *testing.T) {
	dir := site(t)
	sick := filepath.Join(dir, "sick")
	const deaf = `trap "" HUP INT QUIT ABRT TERM USR1 USR2; while :; do sleep 600; done`
	m := manage(t, dir, keys{
		"pool.web.command":                    list("sh", "-c", deaf),
		"pool.web.workers":                    "2",
		"pool.web.ready":                      `"delay:100ms"`,
		"pool.web.liveness.exec":              word("test ! -e " + sick + `-"$BROOD_SLOT"`),
		"pool.web.liveness.period":            `"100ms"`,
		"pool.web.liveness.failure_threshold": "2",
		"pool.web.health.trace":               `"300ms"`,
		"pool.web.stop.grace":                 `"500ms"`,
	})
	before := m.status().named("web")
	end := watchEnd(t, before.Workers[1].PID)
	touch(t, sick+"-1")
	end()
	if err := os.Remove(sick + "-1"); err != nil {
		t.Fatal(err)
	}
	m.await("its successor", func() bool { return m.status().named("web").whole() })
	death := m.died(before.Workers[1].PID)
	if death.Cause != "probe" || !strings.Contains(death.Exit, "KILL") {
		t.Errorf("it died of %q: %s", death.Cause, death.Exit)
	}
	if pids := m.status().named("web").pids(); pids[0] != before.Workers[0].PID {
		t.Errorf("the other one is %d, and was %d", pids[0], before.Workers[0].PID)
	}
	m.stop()
	if n := m.causes()["killed_late"]; n != 2 {
		t.Errorf("%d were killed at the end: %v", n, m.causes())
	}
}

// TestWatchdog: a worker that does not say any more that it lives is replaced.
func TestWatchdog(t *testing.T) {
	t.Parallel()
	for name, how := range map[string][]string{"silent": nil, "asks for it": {"-trigger"}} {
		t.Run(name, func(t *testing.T) {
			port := freePort(t)
			m := manage(t, site(t), served("web", port).with(
				"pool.web.command", list(append([]string{guestBin(), testguest.Word, "watchdog", "-pings", "4"}, how...)...),
				"pool.web.health.watchdog", `"400ms"`,
				"pool.web.restart.backoff", `"50ms"`,
				"pool.web.restart.max_backoff", `"50ms"`,
			))
			m.await("three to have been replaced", func() bool { return m.causes()["watchdog"] >= 3 })
			m.stop()
			for _, e := range m.said(gaveUp) {
				if e.Cause != "watchdog" || !strings.Contains(e.Detail, "WATCHDOG=") {
					t.Errorf("what happened is not said: %+v", e)
				}
			}
		})
	}
}

// TestLeakingWorkers: workers that take more and more memory are replaced, before
// they leave, one after the other, and nothing is lost.
func TestLeakingWorkers(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	m := manage(t, site(t), served("web", port).with(
		"pool.web.command", list(guestBin(), testguest.Word, "leak", "-notify", "-rate", "20"),
		"pool.web.recycle.max_memory", `"100M"`,
		"pool.web.recycle.gap", `"1s"`,
	))
	traffic := lightTraffic(t, port)
	before := m.status().named("web").pids()
	m.await("both to have been replaced", func() bool {
		now := m.status().named("web")
		return now.whole() && !slices.ContainsFunc(now.pids(), func(pid int) bool { return slices.Contains(before, pid) })
	})
	traffic.flawless(t)
	m.stop()
	if causes := m.causes(); causes["recycled"] < 2 || causes["recycled"]+causes["stopped"] != len(m.said("worker died")) {
		t.Errorf("causes: %v", causes)
	}
}
