package supervisor

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// happening is one step of a walk.
type happening struct {
	after time.Duration
	what  string
	which int
}

// happenings are what a walk is made of; the likelier ones are there more than once.
var happenings = []string{
	"reload", "reload", "reload", "reload", "unchanged", "broken", "abort", "abort", "roll", "scale", "scale", "crash", "crash",
	"sick", "sick", "well", "due", "stop pool", "missing", "there", "plan", "dump", "load", "load",
	"upgrade", "upgrade", "no upgrade",
}

// TestWalksThroughReloads takes random ways: configurations that change, workers that fail, people who change their
// minds. Then the world becomes a good one, and the supervisor comes to rest.
func TestWalksThroughReloads(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var files []plan.Desired
		for range rapid.IntRange(2, 4).Draw(rt, "files") {
			d := anyDesired(rt)
			if len(files) > 0 && rapid.Bool().Draw(rt, "near") {
				d = nearly(rt, files[0])
			}
			files = append(files, d)
		}
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) happening {
			return happening{
				after: time.Duration(rapid.SampledFrom([]int{0, 0, 1, 500, 1000, 1500, 3000, 20000, 90000}).Draw(t, "after ms")) * time.Millisecond,
				what:  rapid.SampledFrom(happenings).Draw(t, "what"),
				which: rapid.IntRange(0, 11).Draw(t, "which"),
			}
		}), 1, 25).Draw(rt, "steps")
		terms := rapid.SampledFrom([]int{0, 0, 0, 1, 4}).Draw(rt, "terms")
		seed := rapid.Uint64().Draw(rt, "seed")

		rec := &recorder{TB: t}
		synctest.Test(t, func(*testing.T) { walk(rec, files, steps, terms, seed) })
		if rec.Failed() {
			rt.Fatalf("%s", strings.Join(rec.errs, "\n"))
		}
	})
}

// walker is a walk under way.
type walker struct {
	*stage
	rec    *recorder
	world  *world
	files  []plan.Desired
	mu     sync.Mutex
	random *rand.Rand
	good   bool // nothing fails any more
	asked  []*asked
	said   []string // what was asked for
}

func walk(rec *recorder, files []plan.Desired, steps []happening, terms int, seed uint64) {
	w := &world{handling: worker.Catches}
	wk := &walker{rec: rec, world: w, files: files, random: rand.New(rand.NewPCG(seed, 0)), good: true}
	w.behave = wk.behave
	wk.stage = newStage(rec, w, described(w, files[0]))
	wk.after(time.Minute)
	wk.setGood(false)
	for _, step := range steps {
		wk.take(step)
		wk.after(step.after)
		wk.checkShards()
		wk.checkPublished()
	}
	for range terms {
		wk.signals <- syscall.SIGTERM
		synctest.Wait()
	}
	wk.setGood(true)
	w.heal()
	w.lacks("env:KEY", false)
	w.burden(0, 0)
	wk.after(time.Hour)
	if terms == 0 {
		wk.checkRest()
		wk.checkTruth()
	}
	wk.end()
	for i, a := range wk.asked {
		if a.waits() {
			rec.Errorf("%s was never answered", wk.said[i])
		}
	}
	if rec.Failed() {
		rec.Logf("steps: %+v\ndiary:\n%s", steps, strings.Join(w.lines(), "\n"))
	}
}

func (wk *walker) setGood(good bool) {
	wk.mu.Lock()
	defer wk.mu.Unlock()
	wk.good = good
}

// behave makes a worker one of many kinds. On the way back it is a good one: that those fail too is another story.
func (wk *walker) behave(_ int, p *fakeProcess) {
	wk.checkStart(p)
	wk.mu.Lock() // commands are started beside the loop
	defer wk.mu.Unlock()
	chance := wk.random.IntN(20)
	p.drain = time.Duration(wk.random.IntN(3000)) * time.Millisecond
	switch {
	case p.isChore() && p.cmd.Argv[2] == checkHealth:
		p.lasts = 0
		if wk.world.isSick(p.env("BROOD_PID")) {
			p.exit = worker.Exit{Code: 1}
		}
	case wk.good:
	case p.isChore():
		p.lasts = p.drain
		if chance == 0 {
			p.exit = worker.Exit{Code: 1}
		}
	case wk.reverts():
	case chance == 0:
		p.ready = -1
		time.AfterFunc(time.Second/2, func() { p.end(worker.Exit{Code: 3}) })
	case chance == 1:
		p.ready = -1
	case chance == 2:
		p.err = &worker.ExecError{Path: "server", Err: syscall.ENOENT}
	case chance == 3:
		p.stubborn = true
	case chance == 4:
		time.AfterFunc(20*time.Second, func() { p.end(worker.Exit{Code: 1}) })
	case chance < 12:
		p.ready = time.Duration(wk.random.IntN(5000)) * time.Millisecond
	}
}

// reverts reports whether a reload is being taken back. It is called where the loop performs.
func (wk *walker) reverts() bool {
	if wk.stage == nil {
		return false
	}
	t := wk.sup.transaction
	return t != nil && t.progress != nil && t.progress.Phase() == plan.Reverting
}

func (wk *walker) take(step happening) {
	ask := func(req Request) {
		wk.asked = append(wk.asked, wk.ask(req))
		wk.said = append(wk.said, fmt.Sprintf("%+v", req))
	}
	pool := fmt.Sprint("p", step.which%4)
	switch step.what {
	case "reload":
		wk.world.put(wk.files[step.which%len(wk.files)], nil)
		ask(Request{Verb: Reload})
	case "unchanged":
		ask(Request{Verb: Reload})
	case "broken":
		wk.world.put(plan.Desired{}, errors.New("broken"))
		ask(Request{Verb: Reload})
	case "abort":
		ask(Request{Verb: Reload, Abort: true})
	case "roll":
		ask(Request{Verb: Roll, Pool: pool})
	case "scale":
		ask(Request{Verb: Scale, Pool: pool, Workers: 1 + step.which/3})
	case "stop pool":
		ask(Request{Verb: Stop, Pool: pool})
	case "plan":
		ask(Request{Verb: Plan})
	case "dump":
		ask(Request{Verb: Dump})
	case "upgrade", "no upgrade":
		wk.sup.cfg.World.Upgrader.(*fakeUpgrader).fail(step.what != "upgrade", step.which%2 == 0)
		ask(Request{Verb: Upgrade})
	case "crash":
		if living := wk.world.living(); len(living) > 0 {
			living[step.which%len(living)].end(worker.Exit{Code: 1})
			synctest.Wait()
		}
	case "sick":
		if living := wk.world.living(); len(living) > 0 {
			living[step.which%len(living)].set(func(m *mood) { m.status, m.stopped = 503, step.which%5 == 0 })
		}
	case "well":
		wk.world.heal()
	case "due":
		if living := wk.world.living(); len(living) > 0 {
			living[step.which%len(living)].say(handshake.Message{Requests: new(uint64(step.which))})
		}
	case "load":
		wk.world.burden(step.which, time.Duration(step.which)*100*time.Millisecond)
	case "missing", "there":
		wk.world.lacks("env:KEY", step.what == "missing")
	}
}

// checkStart checks that whoever starts has its sharded listeners for itself.
func (wk *walker) checkStart(p *fakeProcess) {
	for _, other := range wk.world.living() {
		if other == p || other.pool() == p.pool() {
			continue
		}
		for _, fd := range p.cmd.Files {
			l := wk.world.listenerOf(fd)
			if l.Mode() == listener.Sharded && slices.ContainsFunc(other.cmd.Files, func(fd int) bool { return wk.world.listenerOf(fd) == l }) {
				wk.rec.Errorf("%s starts on %s while %s lives", p.name(), l.Name(), other.name())
			}
		}
	}
}

// checkShards checks that what waits at a listener that takes connections is served, or will be.
func (wk *walker) checkShards() {
	for _, p := range wk.sup.pools {
		if p.st.Phase == machine.Serving && p.station != running && len(p.workers) > 0 {
			wk.t.Errorf("pool %s has workers and has not started", p.name)
		}
	}
	if wk.sup.transaction == nil && len(wk.sup.reloads) > 0 {
		wk.t.Errorf("%d reloads wait for nobody", len(wk.sup.reloads))
	}
}

// checkTruth checks that the status says how the last reload went.
func (wk *walker) checkTruth() {
	r := wk.sup.Snapshot().Config.Reload
	if r != nil && r.State != reloadIsDone && r.State != reloadFailed {
		wk.t.Errorf("at rest the reload is %s", r.State)
	}
}
