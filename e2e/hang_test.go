//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/testguest"
)

// gaveUp is what the log says when a worker is to be replaced because it does not work.
const gaveUp = "worker does not work, asked for a trace"

// harms is how many workers are harmed, one after the other.
const harms = 4

// harmed is a load under which workers come to harm.
type harmed struct {
	*managed
	load     *loadgen.Load
	address  string
	counters string
}

// startHarmed launches four workers and a load that goes on while some of them get stuck: one of them gets a quarter of
// what comes, which waits, so there must be clients for the others.
func startHarmed(t *testing.T, k keys, guest ...string) *harmed {
	t.Helper()
	port, counters := freePort(t), scratch(t, os.Geteuid())
	h := &harmed{address: address(port), counters: counters, managed: manage(t, site(t), together(served("web", port), k).with(
		"pool.web.command", list(append([]string{guestBin(), testguest.Word}, append(guest, "-counters", counters)...)...),
		"pool.web.workers", "4",
	))}
	h.load = startLoad(t, address(port), func(c *loadgen.Config) { c.Rate, c.Clients = 1000, 1500 })
	return h
}

// harm does harm to one worker after the other, and demands that each is replaced for that cause.
func (h *harmed) harm(cause string, do func(pid int) error) {
	h.t.Helper()
	for n := range harms {
		if err := h.load.Await(h.t.Context(), 500); err != nil {
			h.t.Fatal(err)
		}
		before := h.status().named("web")
		victim := before.Workers[n%len(before.Workers)]
		begin, began := time.Now(), h.load.Snapshot().Elapsed
		if err := do(victim.PID); err != nil {
			h.t.Fatal(err)
		}
		h.await("a successor of the harmed", func() bool {
			now := h.status().named("web")
			return now.whole() && now.Restarts > before.Restarts
		})
		death := h.died(victim.PID)
		if death.Cause != cause {
			h.t.Errorf("worker %d died of %q: %s", victim.PID, death.Cause, death.Exit)
		}
		h.t.Logf("worker %d: found and dead after %s, replaced after %s, the last failed request after %s", n, death.Time.Sub(begin).Round(time.Millisecond),
			time.Since(begin).Round(time.Millisecond), max(0, h.load.Snapshot().LastFailed-began).Round(time.Millisecond))
	}
}

// lossless ends the load, and demands that of so many requests at most two failed
// beside those that the harmed had in hand.
func (h *harmed) lossless(requests int, inHand func() int) {
	h.t.Helper()
	sofar := h.load.Snapshot()
	if err := h.load.Await(h.t.Context(), max(1, requests-sofar.OK())); err != nil {
		h.t.Fatal(err)
	}
	result := h.load.Stop()
	h.stop()
	hand := inHand()
	h.t.Logf("%d requests in %s, %d failed, at most %d had been in the hands of the harmed; the slowest took %s",
		result.Requests(), result.Elapsed.Round(time.Millisecond), result.Failed(), hand, result.Latency.Max().Round(time.Millisecond))
	if lost := result.Failed() - hand; lost > 2 {
		h.t.Errorf("%d were lost that nobody had in hand:\n%s", lost, &result)
	}
}

// atTheirEnd are the requests that those had in hand that have ended.
func (h *harmed) atTheirEnd() int {
	h.t.Helper()
	hand := 0
	for _, c := range h.count() {
		hand += c.Unanswered()
	}
	return hand
}

func (h *harmed) count() []testguest.Counters {
	h.t.Helper()
	all, err := testguest.ReadCounters(h.counters)
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

// freeze stops a process, and gives the number of requests that it has in hand.
func (h *harmed) freeze(pid int) int {
	h.t.Helper()
	h.halt(pid)
	for _, c := range h.count() {
		if c.PID == pid {
			return c.Unanswered()
		}
	}
	h.t.Errorf("%d has counted nothing", pid)
	return 0
}

// TestStoppedWorkers: a worker that is stopped under load is found, and another one
// serves what waited in its queue.
func TestStoppedWorkers(t *testing.T) {
	h := startHarmed(t, keys{"pool.web.health.hang": `"1s"`}, "http", "-notify", "-work", "5ms")
	hand := 0 // when they were stopped: they must not run again, and take what waits along
	h.harm("hang", func(pid int) error { hand += h.freeze(pid); return nil })
	h.lossless(5000, func() int { return hand })
	for _, e := range h.said("worker does not work, and is killed at once because it is stopped") {
		if !strings.Contains(e.Detail, "has been stopped (state T) for ") && !strings.Contains(e.Detail, " connections wait in it, ") {
			t.Errorf("what happened is not said: %+v", e)
		}
	}
}

// TestStuckWorkers: the same with one that runs and accepts nothing.
func TestStuckWorkers(t *testing.T) {
	moods := newMoods(t)
	h := startHarmed(t, keys{"pool.web.health.hang": `"1s"`}, "http", "-notify", "-work", "5ms", "-moods", string(moods))
	h.harm("hang", func(pid int) error { moods.put(t, strconv.Itoa(pid), "hang"); return nil })
	h.lossless(5000, h.atTheirEnd)
	for _, e := range h.said(gaveUp) {
		if !strings.Contains(e.Detail, " connections wait in it, ") {
			t.Errorf("what happened is not said: %+v", e)
		}
	}
}

// died is the line about the death of a process, which must have come by now.
func (b *brood) died(pid int) (end logLine) {
	b.t.Helper()
	b.await(fmt.Sprintf("the log to say that %d died", pid), func() bool {
		for _, e := range b.said("worker died") {
			if e.PID == pid {
				end = e
			}
		}
		return end.PID == pid
	})
	return end
}
