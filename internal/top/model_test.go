package top

import (
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/supervisor"
)

// order lists the rows of the table as POOL, or POOL.SLOT.
func (s *story) order() string {
	var names []string
	for _, r := range s.model.rows {
		name := r.pool.Name
		if r.worker != nil {
			name += "." + string(rune('0'+r.worker.Slot))
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func (s *story) ordered(want string) {
	s.t.Helper()
	if got := s.order(); got != want {
		s.t.Errorf("the rows are %s, want %s", got, want)
	}
}

func TestSorting(t *testing.T) {
	const byName = "web web.0 web.1 web.2 web.3 jobs cron cron.0"
	s := begin(t, 120, 40)
	s.ordered(byName)
	s.press("o")
	s.ordered("web web.3 web.2 web.1 web.0 jobs cron cron.0")
	s.press("<") // around the end: generations
	s.shows("GENv")
	s.press(">")
	s.shows("NAME^")
	s.ordered(byName)
	for range len(SortNames()) {
		if !strings.Contains(s.screen(), "RSTv") {
			s.press(">")
		}
	}
	s.shows("RSTv")
	s.ordered("web web.3 web.2 web.0 web.1 jobs cron cron.0")
	s.press("o")
	s.ordered("jobs cron cron.0 web web.0 web.1 web.2 web.3")
	s.arrive(shop(), 2*time.Second)
	s.ordered("jobs cron cron.0 web web.0 web.1 web.2 web.3")
}

func TestFilter(t *testing.T) {
	s := begin(t, 80, 24)
	for _, tc := range []struct{ text, want string }{
		{"CRON", "cron cron.0"},
		{"segv", "web web.3"},
		{"waiting", "web web.3 jobs"},
		{"472", "web web.0 web.1 web.2"},
		{"web.1", "web web.1"},
		{"nothing", ""},
		{"5432", "jobs"},
	} {
		s.press("/")
		for _, r := range tc.text {
			s.press(string(r))
		}
		s.shows("filter: " + tc.text + "_")
		s.press("enter")
		s.shows("filter: " + tc.text)
		s.ordered(tc.want)
		s.press("esc")
	}
	s.press("/", "q", "?", "r", "backspace", "backspace", "y")
	s.shows("filter: qy_")
	s.press("esc")
	s.hides("filter: qy")
	s.press("/")
	s.tell(tea.PasteMsg{Content: " cr\x1b[2Jon\n"})
	s.shows("filter: cr?[2Jon_")
	s.press("esc")
	s.tell(tea.PasteMsg{Content: "S y"})
	s.hides("Stop pool")
}

func TestOnlyTheUnhealthy(t *testing.T) {
	s := begin(t, 80, 24)
	s.press("u")
	s.ordered("web web.2 web.3 jobs")
	s.shows("only the unhealthy")
	well := shop()
	well.Pools = well.Pools[2:]
	well.Pools[0].Workers[0].State, well.Pools[0].Workers[0].Ready = "draining", false
	s.arrive(well, time.Second)
	s.shows("nothing to be seen to")
	s.press("esc")
	s.ordered("cron cron.0")
}

func TestFolding(t *testing.T) {
	s := begin(t, 80, 24)
	s.press("down", "down", "space")
	s.ordered("web jobs cron cron.0")
	s.shows("+ web", "- cron")
	if s.model.cursor != (place{pool: "web", slot: -1}) {
		t.Errorf("the cursor is on %+v", s.model.cursor)
	}
	s.press("enter")
	s.ordered("web web.0 web.1 web.2 web.3 jobs cron cron.0")
	s.press("left", "left")
	s.ordered("web jobs cron cron.0")
	s.press("right")
	s.press("c")
	s.ordered("web jobs cron")
	s.press("c")
	s.ordered("web web.0 web.1 web.2 web.3 jobs cron cron.0")
}

// The cursor stays on its worker when the order changes, and near it when the worker goes.
func TestCursorStaysOnItsWorker(t *testing.T) {
	s := begin(t, 80, 10)
	s.press("end")
	s.shows("  0      ready       yes     -    0.0  3.0M")
	s.press("home", "down", "down", "down")
	at := s.model.cursor
	s.press(">", "o")
	s.arrive(later(), time.Second)
	if s.model.cursor != at {
		t.Errorf("the cursor went from %+v to %+v", at, s.model.cursor)
	}
	snap := later()
	snap.Pools = snap.Pools[:1]
	snap.Pools[0].Workers = snap.Pools[0].Workers[:1]
	s.arrive(snap, time.Second)
	if r, ok := s.model.current(); !ok || r.pool.Name != "web" {
		t.Errorf("the cursor is nowhere")
	}
	s.arrive(supervisor.Snapshot{Name: "shop"}, time.Second)
	s.press("down", "enter", "space", "r", "s", "y")
	s.shows("there are no pools")
	if len(s.effects) != 0 {
		t.Errorf("without pools: %v", s.effects)
	}
}

// Whatever it is sorted by is to be seen.
func TestSortedColumnHasItsPlace(t *testing.T) {
	for _, name := range SortNames() {
		s := begin(t, 70, 24)
		s.model.choice.sort = name
		s.fits()
		head := strings.Split(s.screen(), "\n")[2]
		word := strings.TrimRight(head[:strings.IndexAny(head+"^", "^v")], " ")
		if word = word[strings.LastIndex(word, " ")+1:]; word == "" || !strings.HasPrefix(strings.Replace(name, "RESTARTS", "RST", 1), word) {
			t.Errorf("by %s: %q", name, head)
		}
	}
}

// What went wrong with the whole does not hide how the rest is, and of what.
func TestFailedReload(t *testing.T) {
	s := begin(t, 80, 24)
	s.press("u")
	snap := later()
	snap.Config.Reload = &supervisor.ReloadView{State: "failed", Error: "web.toml:3:1: unknown key " + strings.Repeat("why ", 20) + "at last"}
	s.arrive(snap, time.Second)
	s.shows("only the unhealthy", "3/7 ready", "reload failed: web.toml:3:1", "at last", "- web")
	s.press("end", "r")
	s.shows("Type y to do it")
}

func TestAbort(t *testing.T) {
	s := begin(t, 80, 24)
	s.press("A")
	s.shows("no rollout of pool web is under way")
	snap := later()
	snap.Pools[0].Rollout = &supervisor.RolloutView{Generation: 3, State: "rolling"}
	s.arrive(snap, time.Second)
	s.press("A")
	s.shows("Abort the rollout of pool web", "Type y")
	s.press("y")
	if diff := cmp.Diff([]Effect{Ask{supervisor.Roll, control.Body{Pool: "web", Abort: true}, "abort the rollout of web"}}, s.effects); diff != "" {
		t.Error(diff)
	}
}

func TestQuestions(t *testing.T) {
	for _, tc := range []struct {
		name    string
		keys    []string
		follows string // in the question, wherever its lines end
		want    Ask
	}{
		{"roll", []string{"r"}, "each of its 4 workers is replaced", Ask{supervisor.Roll, control.Body{Pool: "web"}, "roll web"}},
		{"roll of a worker's pool", []string{"down", "r"}, "each of its 4 workers", Ask{supervisor.Roll, control.Body{Pool: "web"}, "roll web"}},
		{"more", []string{"+"}, "from 4 to 5: 1 worker more is started", Ask{supervisor.Scale, control.Body{Pool: "web", Workers: 5}, "scale web to 5"}},
		{"fewer", []string{"-"}, "from 4 to 3: 1 worker is told to leave", Ask{supervisor.Scale, control.Body{Pool: "web", Workers: 3}, "scale web to 3"}},
		{"scale", []string{"s", "x", "1", "3", "backspace", "2", "enter"}, "from 4 to 12: 8 workers more are started", Ask{supervisor.Scale, control.Body{Pool: "web", Workers: 12}, "scale web to 12"}},
		{"scale to the same", []string{"s", "4", "enter"}, "it has so many already", Ask{supervisor.Scale, control.Body{Pool: "web", Workers: 4}, "scale web to 4"}},
		{"stop", []string{"S"}, "NOTHING serves in their place", Ask{supervisor.Stop, control.Body{Pool: "web"}, "stop web"}},
		{"stop all", []string{"X"}, "all workers of all pools (5) are told to leave", Ask{supervisor.Stop, control.Body{}, "stop shop"}},
		{"from a worker's page", []string{"down", "enter", "r"}, "each of its 4 workers", Ask{supervisor.Roll, control.Body{Pool: "web"}, "roll web"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, answer := range []string{"y", "Y", "n", "enter", "esc", "q", "space"} {
				s := begin(t, 80, 24)
				s.press(tc.keys...)
				s.shows("Type y to do it. Any other key leaves everything as it is.")
				if text := strings.Join(strings.Fields(s.screen()), " "); !strings.Contains(text, tc.follows) {
					t.Errorf("the question does not say %q:\n%s", tc.follows, s.screen())
				}
				s.press(answer)
				s.hides("Type y to do it.")
				want := []Effect{tc.want}
				if answer != "y" {
					want = nil
					s.shows("nothing was done")
				}
				if diff := cmp.Diff(want, s.effects); diff != "" {
					t.Errorf("after %s:\n%s", answer, diff)
				}
			}
		})
	}
}

func TestQuestionsThatMakeNoSense(t *testing.T) {
	s := begin(t, 80, 24)
	s.press("s", "0", "enter")
	s.shows(`no number of workers: "0"`)
	s.press("s", "enter")
	s.shows(`no number of workers: ""`)
	s.press("R")
	s.shows("choose a worker to restart")
	s.press("end", "-")
	s.shows("a pool has at least one worker")
	s.tell(Lost{Err: errRefused, At: s.at})
	s.press("r", "y")
	s.shows("NO ANSWER", "refused")
	if len(s.effects) != 0 {
		t.Errorf("asked of a supervisor that is gone: %v", s.effects)
	}
}

func TestAnswers(t *testing.T) {
	s := begin(t, 80, 24)
	s.press("r", "y")
	s.shows("roll web: asked for")
	s.tell(Answered{What: "roll web", Text: "pool web is at generation 3"})
	s.shows("roll web: pool web is at generation 3")
	s.press("down")
	s.hides("generation 3")
	s.tell(Answered{What: "roll web", Err: errors.New("the new worker died: exit 1"), Lines: []string{"Error: no such module"}})
	s.shows("roll web: the new worker died: exit 1", "  | Error: no such module")
	s.tell(Answered{What: "stop shop"})
	s.shows("stop shop: done")
}

func TestSupervisorGoesAndComesBack(t *testing.T) {
	s := begin(t, 80, 24)
	s.tell(Lost{At: s.at.Add(time.Second)})
	s.shows("NO ANSWER for 0.0s: it has ended; trying again", "  2      unready")
	s.tell(Lost{Err: errors.New("connection refused"), At: s.at.Add(9 * time.Second)})
	s.shows("NO ANSWER for 8.0s: connection refused")
	s.arrive(later(), 10*time.Second)
	s.shows("the supervisor answers again")
	s.hides("NO ANSWER")
	s.press("x")
	s.tell(Lost{At: s.at})
	again := shop()
	again.PID = 9000
	s.arrive(again, time.Second)
	s.shows("the supervisor is back: process 9000, before it was 4711", "pid 9000")
}

func TestBeginningWithoutSupervisor(t *testing.T) {
	s := &story{t: t, model: New(Options{}), at: start()}
	s.shows("asking the supervisor ...")
	s.tell(Lost{Err: errors.New("connection refused"), At: start()})
	s.shows("NO ANSWER", "connection refused")
	s.arrive(shop(), time.Second)
	s.hides("NO ANSWER", "answers again", "is back")
}

func TestLeaving(t *testing.T) {
	for _, keys := range [][]string{{"q"}, {"ctrl+c"}, {"r", "ctrl+c"}, {"/", "q", "ctrl+c"}, {"down", "enter", "q"}, {"?", "q"}} {
		s := begin(t, 80, 24)
		s.press(keys...)
		if diff := cmp.Diff([]Effect{Quit{}}, s.effects); diff != "" {
			t.Errorf("%v: %s", keys, diff)
		}
	}
	s := begin(t, 80, 24)
	s.press("ctrl+z")
	if diff := cmp.Diff([]Effect{Suspend{}}, s.effects); diff != "" {
		t.Error(diff)
	}
}

func TestHelpGoesBackToWhereItWas(t *testing.T) {
	s := begin(t, 80, 24)
	s.press("down", "enter")
	s.tell(seen(s.model.detail.worker))
	s.press("?")
	s.shows("roll: replace all workers of the pool")
	s.press("x")
	s.shows("node server.js")
	s.press("esc", "?", "esc")
	s.shows("- web")
}

// A model is a value: what comes later does not change what somebody kept.
func TestModelsAreValues(t *testing.T) {
	s := begin(t, 80, 24)
	kept, screen := s.model, s.screen()
	s.press("down", "space", "o", ">", "u", "c", "/", "x", "enter")
	s.arrive(shop(), 9*time.Second)
	if got := looks.ReplaceAllString(kept.View(), ""); got != screen {
		t.Errorf("the kept model shows\n%s\nand did show\n%s", got, screen)
	}
}

// The first look says what is wrong, wherever the cursor is.
func TestReasonsAreToldUnasked(t *testing.T) {
	s := begin(t, 80, 12)
	s.shows("web.2: readiness probe: GET /readyz: 503 Service Unavailable; last: died: exit 1")
	snap := later()
	snap.Pools[0].Workers = snap.Pools[0].Workers[:2]
	s.arrive(snap, time.Second)
	s.shows("jobs: waits for web; missing: tcp://127.0.0.1:5432: connection refused")
	snap.Pools[0].Ready, snap.Pools = 4, snap.Pools[:1]
	s.arrive(snap, time.Second)
	s.hides("web.2", "jobs")
}
