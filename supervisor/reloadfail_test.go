package supervisor

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// leveled is a pool whose workers find in their environment which configuration they are of.
func leveled(p plan.Pool, level string) plan.Pool {
	return but(p, func(p *plan.Pool) { p.Recipe.Env = []worker.Var{{Name: "LEVEL", Value: level}} })
}

// old has a pool of each fate, and changed is what a reload makes of it. The pool that is added comes last of all, so
// that everything but the removal is done when it fails.
func old() plan.Desired {
	return desire(listening(api, admin),
		leveled(poolNamed("rolled", "api"), "1"), poolNamed("scaled"), sized(poolNamed("shrunk"), 3), poolNamed("timed"),
		poolNamed("kept"), poolNamed("removed", "admin"))
}

func changed() plan.Desired {
	return desire(listening(longer(api), tcp("fresh", 83)),
		leveled(poolNamed("rolled", "api"), "2"), sized(poolNamed("scaled"), 4), sized(poolNamed("shrunk"), 1),
		but(poolNamed("timed"), func(p *plan.Pool) { p.Spec.Grace = time.Minute }),
		poolNamed("kept"), after(poolNamed("added", "fresh"), "rolled", "scaled", "shrunk", "timed"))
}

// failures are the places where a reload can fail, and the words that say so.
var failures = []struct {
	name   string
	change func(d *plan.Desired)       // of what the file says
	behave func(n int, p *fakeProcess) // of the processes of the reload, n from 0
	world  func(w *world)              // else
	words  string                      // in the error
	lines  bool                        // somebody's last words are quoted
	early  bool                        // before anything is touched
}{
	{
		name: "the file is broken", early: true,
		world: func(w *world) { w.broken = errors.New("brood.toml:3:1: unknown key") }, words: "brood.toml:3:1: unknown key",
	},
	{
		name: "a number that cannot be", early: true,
		change: func(d *plan.Desired) { d.Pools[1].Spec.Workers = 0 }, words: "cannot run pool scaled: workers must be at least 1",
	},
	{
		name: "no order", early: true,
		change: func(d *plan.Desired) { d.Listeners[0].Mode = listener.Shared }, words: plan.ErrOrder.Error(),
	},
	{
		name: "a listener that cannot be opened", early: true,
		change: func(d *plan.Desired) { d.Listeners = append(d.Listeners, tcp("broken", brokenPort)) }, words: listener.ErrInUse.Error(),
	},
	{
		name: "a listener that nobody has", early: true,
		change: func(d *plan.Desired) { d.Pools[5].Listen = []string{"none"} }, words: `there is no listener "none"`,
	},
	{
		name: "a listener that cannot be changed", early: true,
		change: func(d *plan.Desired) { d.Listeners[0].Backlog = brokenBacklog }, words: "cannot change listener api",
	},
	{
		name: "a template that names nothing", early: true,
		change: func(d *plan.Desired) { d.Pools[0].Recipe.Argv = []string{"server", "{{.Port.none}}"} }, words: "cannot run pool rolled",
	},
	{
		name: "a requirement of a rolled pool", early: true,
		change: func(d *plan.Desired) { d.Pools[0].Requires = []string{"env:KEY"} },
		world:  func(w *world) { w.lacks("env:KEY", true) }, words: "cannot start pool rolled: requirement does not hold: env:KEY is not there",
	},
	{
		name: "a pre_start of a rolled pool", early: true, lines: true,
		change: func(d *plan.Desired) { d.Pools[0].PreStart = []string{"first", "migrate"} },
		behave: func(_ int, p *fakeProcess) {
			if p.name() == "migrate" {
				p.lasts, p.exit = time.Second, worker.Exit{Code: 3}
			}
		}, words: "cannot start pool rolled: pre_start failed: migrate: command ended with exit 3",
	},
	{name: "a worker of the rolled pool dies", behave: dying("rolled", "2", "0"), words: "died before it was ready: exit 3", lines: true},
	{name: "the last worker of the rolled pool dies", behave: dying("rolled", "2", "1"), words: "died before it was ready: exit 3", lines: true},
	{
		name: "a worker of the rolled pool is late", behave: late("rolled", "2", "1"), lines: true,
		words: "was not ready within 1m0s",
	},
	{name: "a worker in a new slot dies", behave: dying("scaled", "1", "3"), words: "the new configuration does not work: worker scaled.3", lines: true},
	{name: "a worker in a new slot is late", behave: late("scaled", "1", "2"), words: "was not ready within 1m0s", lines: true},
	{
		name: "a requirement of the added pool", change: func(d *plan.Desired) { d.Pools[5].Requires = []string{"env:KEY"} },
		world: func(w *world) { w.lacks("env:KEY", true) }, words: "cannot start pool added: requirement does not hold: env:KEY is not there",
	},
	{
		name: "a pre_start of the added pool", change: func(d *plan.Desired) { d.Pools[5].PreStart = []string{"DB_PASSWORD=geheim migrate"} },
		behave: func(_ int, p *fakeProcess) { p.exit = worker.Exit{Code: 3} },
		words:  "pre_start failed: DB_PASSWORD=*** migrate: command ended with exit 3", lines: true,
	},
	{name: "a worker of the added pool dies", behave: dying("added", "1", "1"), words: "worker added.1 (pid", lines: true},
	{name: "a worker of the added pool is late", behave: late("added", "1", "0"), words: "was not ready within", lines: true},
	{
		name: "a program of the added pool is not there", words: "no such file", lines: true,
		behave: func(_ int, p *fakeProcess) {
			if p.pool() == "added" {
				p.err = &worker.ExecError{Path: "server", Err: errors.New("no such file")}
			}
		},
	},
}

// dying makes the workers of one slot end with 3 before they are ready.
func dying(pool, generation, slot string) func(int, *fakeProcess) {
	return func(_ int, p *fakeProcess) {
		if p.pool() == pool && p.env("BROOD_GENERATION") == generation && p.env("BROOD_SLOT") == slot {
			p.ready = -1
			time.AfterFunc(time.Second, func() { p.end(worker.Exit{Code: 3}) })
		}
	}
}

// late makes the workers of one slot never ready.
func late(pool, generation, slot string) func(int, *fakeProcess) {
	return func(_ int, p *fakeProcess) {
		if p.pool() == pool && p.env("BROOD_GENERATION") == generation && p.env("BROOD_SLOT") == slot {
			p.ready = -1
		}
	}
}

func TestFailedReload(t *testing.T) {
	for _, tt := range failures {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{handling: worker.Catches}
			d := old()
			d.Coordination = plan.Coordination{Group: "ours"}
			perform(t, w, described(w, d), func(s *stage) {
				begun, before := len(w.lines()), s.picture()
				d := changed()
				d.Coordination = plan.Coordination{Group: "others"}
				if tt.change != nil {
					tt.change(&d)
				}
				w.put(d, nil)
				if tt.world != nil {
					tt.world(w)
				}
				w.behave = tt.behave
				reload := s.ask(Request{Verb: Reload})
				s.after(5 * time.Minute)
				checkFailed(t, reload.answer(), tt.words, tt.lines)
				if got := s.picture(); !slices.Equal(got, before) {
					t.Errorf("now:\n%s\nbefore:\n%s", strings.Join(got, "\n"), strings.Join(before, "\n"))
				}
				s.checkRest()
				s.checkFailedStatus(tt.words)
				if rest := touched(w.lines()[begun:]); tt.early && len(rest) > 0 {
					t.Errorf("touched: %v", rest)
				}
				s.tryAgain(d, tt.world == nil && tt.change == nil)
				if got := s.sup.desired.Coordination; got.Group != "ours" {
					t.Errorf("what is shared is said to be with %+v", got)
				}
			})
		})
	}
}

func checkFailed(t *testing.T, v Verdict, words string, lines bool) {
	t.Helper()
	if !errors.Is(v.Err, ErrReload) || !strings.Contains(fmt.Sprint(v.Err), words) {
		t.Errorf("verdict: %v, want %q", v.Err, words)
	}
	if (len(v.Lines) > 0) != lines {
		t.Errorf("last words: %q", v.Lines)
	}
}

// checkFailedStatus checks what everybody can read about the failure.
func (s *stage) checkFailedStatus(words string) {
	s.t.Helper()
	snap := s.sup.Snapshot()
	r := snap.Config.Reload
	if r == nil || r.State != "failed" || !strings.Contains(r.Error, words) || r.At.IsZero() || snap.Config.Failures != 1 || snap.Config.Reloads != 0 {
		s.t.Errorf("status: %+v, %+v", snap.Config, r)
	}
	told := s.world.told()
	if last := told[len(told)-1]; !strings.Contains(last, "reload failed: ") && !slices.Contains(told[len(told)-2:], "STATUS="+snap.Summary()) {
		s.t.Errorf("systemd heard last: %q", told[len(told)-2:])
	}
}

// touched is what happened to those who serve. What is opened and closed again, and commands that run before, touch
// nobody.
func touched(diary []string) []string {
	return slices.DeleteFunc(diary, func(line string) bool {
		verb, _, _ := strings.Cut(line, " ")
		return slices.Contains([]string{"open", "close", "run", "adjust"}, verb)
	})
}

// tryAgain reloads once more, when what was in the way is gone.
func (s *stage) tryAgain(d plan.Desired, possible bool) {
	s.t.Helper()
	if !possible {
		return
	}
	s.world.behave = nil
	again := s.ask(Request{Verb: Reload})
	s.after(5 * time.Minute)
	if v := again.answer(); v.Err != nil {
		s.t.Errorf("once more: %v", v.Err)
	}
	if got := len(s.sup.pools); got != len(d.Pools) {
		s.t.Errorf("%d pools", got)
	}
	s.checkRest()
}
