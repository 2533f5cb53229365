//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/control"
	fleets "github.com/broodctl/brood/internal/fleet"
	"github.com/broodctl/brood/internal/testetcd"
)

// companion is a brood of a fleet. While there is a file broken, its new workers die at once; while there is one that is called
// held, they do not become ready.
func companion(name, dir string, etcd []string) keys {
	k := keys{
		"supervisor.name":                            word(name),
		"coordination.group":                         word("companions"),
		"pool.web.command":                           list("sh", "-c", "test ! -e broken && exec sleep 100"),
		"pool.web.dir":                               word(dir),
		"pool.web.workers":                           "2",
		"pool.web.ready":                             word("delay:250ms"),
		"pool.web.startup.exec":                      word("test ! -e held"),
		"pool.web.startup.period":                    word("50ms"),
		"pool.web.startup.failure_threshold":         "10000",
		"pool.web.rollout.fleet.name":                word("web"),
		"pool.web.rollout.fleet.stop_after_failures": "1",
	}
	if etcd == nil {
		k["coordination.directory"] = word(filepath.Join(dir, "places"))
	} else {
		k["coordination.etcd"], k["coordination.lease"] = list(etcd...), word("5s")
	}
	return k
}

// company are the broods of a fleet.
type company struct {
	t     *testing.T
	dir   string
	all   []*brood
	names map[*brood]string
}

func gather(t *testing.T, etcd []string, names ...string) *company {
	c := &company{t: t, dir: site(t), names: map[*brood]string{}}
	for _, name := range names {
		path := filepath.Join(c.dir, name+".toml")
		write(t, path, companion(name, c.dir, etcd).String())
		b := begin(t, options{file: path})
		c.all, c.names[b] = append(c.all, b), name
	}
	for _, b := range c.all {
		b.awaitReady()
	}
	c.awaitStates(fleets.Idle, fleets.Idle, fleets.Idle)
	return c
}

// view is the fleet as the last of them sees it.
func (c *company) view() fleets.View {
	c.t.Helper()
	var v control.Fleets
	if err := json.Unmarshal([]byte(c.last().must("fleet", "status", "--output", "json")), &v); err != nil || len(v.Fleets) != 1 {
		c.t.Fatalf("%+v: %v", v, err)
	}
	return v.Fleets[0]
}

func (c *company) last() *brood { return c.all[len(c.all)-1] }

// awaitStates waits until those who are there are at these, in any order.
func (c *company) awaitStates(want ...string) {
	c.t.Helper()
	slices.Sort(want)
	c.last().await("the fleet to be "+strings.Join(want, ", "), func() bool {
		var got []string
		for _, m := range c.view().Members {
			got = append(got, m.State)
		}
		slices.Sort(got)
		return slices.Equal(got, want)
	})
}

// of is the one that is at something.
func (c *company) of(state string) *brood {
	c.t.Helper()
	for _, m := range c.view().Members {
		for _, b := range c.all {
			if m.State == state && strings.HasPrefix(m.Who, c.names[b]+" on ") {
				return b
			}
		}
	}
	c.t.Fatalf("nobody %s", state)
	return nil
}

// hold keeps rollouts from coming to an end until release.
func (c *company) hold() { write(c.t, filepath.Join(c.dir, "held"), "") }

func (c *company) release() {
	c.t.Helper()
	if err := os.Remove(filepath.Join(c.dir, "held")); err != nil {
		c.t.Fatal(err)
	}
}

func (c *company) roll() {
	c.t.Helper()
	var asking sync.WaitGroup
	for _, b := range c.all {
		asking.Go(func() {
			if _, stderr, code := b.verb("roll", "--wait=false"); code != 0 {
				c.t.Error(stderr)
			}
		})
	}
	asking.Wait()
}

// span is a rollout, from its start to its end.
type span struct {
	who      string
	from, to time.Time
}

// spans are the rollouts of all of them, the earliest first.
func (c *company) spans() []span {
	c.t.Helper()
	var all []span
	for _, b := range c.all {
		for line := range strings.Lines(b.must("events", "--kind", "rollout", "--output", "json")) {
			var e struct {
				Time  time.Time
				State string
			}
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				c.t.Fatalf("%q: %v", line, err)
			}
			switch e.State {
			case "rolling":
				all = append(all, span{who: b.control, from: e.Time})
			case "done", "failed":
				all[len(all)-1].to = e.Time
			}
		}
	}
	slices.SortFunc(all, func(a, b span) int { return a.from.Compare(b.from) })
	return all
}

// oneAtATime demands so many rollouts until now, and never two at once.
func (c *company) oneAtATime(rollouts int) {
	c.t.Helper()
	all := c.spans()
	if len(all) != rollouts {
		c.t.Errorf("%d rollouts, want %d: %+v", len(all), rollouts, all)
	}
	for i := 1; i < len(all); i++ {
		if all[i].from.Before(all[i-1].to) {
			c.t.Errorf("two at once: %+v and %+v", all[i-1], all[i])
		}
	}
}

// TestFleet: three broods roll, and never two of them at once, also when one that rolls and one that waits go on as another
// program. One that fails stops the others until somebody resumes the fleet; one that is killed in its turn stops nobody.
func TestFleet(t *testing.T) {
	t.Run("locks", func(t *testing.T) {
		t.Parallel()
		fleetRolls(t, nil)
	})
	t.Run("etcd", func(t *testing.T) {
		t.Parallel()
		fleetRolls(t, testetcd.Start(t, testetcd.Config{}).Endpoints(), fleets.Unknown)
	})
}

// fleetRolls is told what there is left to be seen of one that was killed.
func fleetRolls(t *testing.T, etcd []string, left ...string) {
	c := gather(t, etcd, "a", "b", "c")
	c.hold()
	c.roll()
	c.awaitStates(fleets.Rolls, fleets.Waits, fleets.Waits)
	c.of(fleets.Rolls).must("upgrade")
	c.of(fleets.Waits).must("upgrade")
	c.release()
	c.awaitStates(fleets.Done, fleets.Done, fleets.Done)
	c.oneAtATime(3)

	c.last().must("fleet", "pause", "--reason", "a holiday")
	write(t, filepath.Join(c.dir, "broken"), "")
	c.roll()
	c.awaitStates(fleets.Waits, fleets.Waits, fleets.Waits)
	if text := c.all[0].must("status"); !strings.Contains(text, "waits for its turn at the rollout: the fleet web is paused by user 0 at c on ") {
		t.Errorf("the status of one that waits:\n%s", text)
	}
	c.last().must("fleet", "resume")
	c.awaitStates(fleets.Failed, fleets.Waits, fleets.Waits)
	if v := c.view(); v.State != fleets.Stopped || v.Failures != 1 || !strings.Contains(v.Failed.Why, "died before it was ready") {
		t.Errorf("after a failure the fleet is %+v", v)
	}
	if err := os.Remove(filepath.Join(c.dir, "broken")); err != nil {
		t.Fatal(err)
	}
	c.all[0].must("fleet", "resume", "web")
	c.awaitStates(fleets.Failed, fleets.Done, fleets.Done)
	c.oneAtATime(6)

	c.hold()
	c.roll()
	c.awaitStates(fleets.Rolls, fleets.Waits, fleets.Waits)
	dead := c.of(fleets.Rolls)
	if err := dead.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	dead.code()
	c.release()
	c.all = slices.DeleteFunc(c.all, func(b *brood) bool { return b == dead })
	c.awaitStates(append(left, fleets.Done, fleets.Done)...)
}
