package top

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/supervisor"
)

var update = flag.Bool("update", false, "write the golden files anew")

var errRefused = errors.New("refused")

// start is when the stories of the tests begin.
func start() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) }

// shop is a supervisor with three pools, of which one is well.
func shop() supervisor.Snapshot {
	web := supervisor.PoolView{
		Name: "web", Phase: "serving", State: "degraded", Generation: 2, Desired: 4, Ready: 2, Restarts: 7,
		Rollout: &supervisor.RolloutView{Generation: 2, State: "done"},
		Workers: []supervisor.WorkerView{
			worker(0, 4720, "ready", 310<<20, 10), worker(1, 4721, "ready", 12<<20, 20),
			worker(2, 4722, "unready", 9<<20, 0), worker(3, 0, "waiting", 0, 0),
		},
	}
	web.Workers[2].Health = "readiness probe: GET /readyz: 503 Service Unavailable"
	web.Workers[2].LastExit = "died: exit 1"
	web.Workers[2].Restarts = 3
	web.Workers[3].LastExit = "died_young: killed by SIGSEGV (core dumped)"
	web.Workers[3].Restarts = 4
	for i := range 3 {
		w := &web.Workers[i]
		w.Queue = &supervisor.QueueView{Depth: uint64(i * i), Capacity: 511}
		w.Usage.FDs, w.Connections = uint64(20+i), new(uint64(100*i))
	}
	jobs := supervisor.PoolView{
		Name: "jobs", Phase: "waiting", State: "starting", Generation: 1, Desired: 2, WaitsFor: []string{"web"},
		Unmet: []string{"tcp://127.0.0.1:5432: connection refused"},
	}
	cron := supervisor.PoolView{
		Name: "cron", Phase: "serving", State: "ready", Generation: 1, Desired: 1, Ready: 1,
		Workers: []supervisor.WorkerView{worker(0, 4800, "ready", 3<<20, 5)},
	}
	return supervisor.Snapshot{
		Measured: start(),
		Name:     "shop", Version: "1.0.0", PID: 4711, State: "degraded", Started: start().Add(-3 * time.Hour),
		Pools: []supervisor.PoolView{web, jobs, cron},
	}
}

func worker(slot, pid int, state string, memory uint64, cpu float64) supervisor.WorkerView {
	w := supervisor.WorkerView{Slot: slot, PID: pid, State: state, Ready: state == "ready", Generation: 2, Side: "a"}
	if pid != 0 {
		w.WorkerID = new(slot)
		w.Age = float64(60 * (slot + 1))
		w.Started = start().Add(-time.Duration(w.Age) * time.Second)
		w.Usage = &supervisor.UsageView{Memory: memory, CPU: cpu}
	}
	return w
}

// later is the shop two seconds on, in which the first worker was busy.
func later() supervisor.Snapshot {
	snap := shop()
	snap.Measured = start().Add(2 * time.Second)
	snap.Pools[0].Workers[0].Usage.CPU += 1.9
	snap.Pools[0].Workers[1].Usage.CPU += 0.011
	return snap
}

// story is a model to which things happen.
type story struct {
	t       *testing.T
	model   Model
	effects []Effect // of the last message
	at      time.Time
}

// begin is a story of a shop on a terminal, with shares of a CPU already.
func begin(t *testing.T, width, height int) *story {
	t.Helper()
	s := &story{t: t, model: New(Options{}), at: start()}
	s.tell(tea.WindowSizeMsg{Width: width, Height: height})
	s.arrive(shop(), 0)
	s.arrive(later(), 2*time.Second)
	return s
}

func (s *story) tell(msg tea.Msg) {
	s.t.Helper()
	s.model, s.effects = s.model.Update(msg)
	s.fits()
}

func (s *story) arrive(snap supervisor.Snapshot, after time.Duration) {
	s.t.Helper()
	s.at = s.at.Add(after)
	s.tell(Arrived{Snapshot: snap, At: s.at})
}

// press presses keys, by their names.
func (s *story) press(keys ...string) {
	s.t.Helper()
	for _, key := range keys {
		s.tell(keyOfName(key))
	}
}

func keyOfName(name string) tea.KeyPressMsg {
	special := map[string]rune{
		"enter": tea.KeyEnter, "esc": tea.KeyEscape, "up": tea.KeyUp, "down": tea.KeyDown, "tab": tea.KeyTab, "backspace": tea.KeyBackspace,
		"pgdown": tea.KeyPgDown, "pgup": tea.KeyPgUp, "home": tea.KeyHome, "end": tea.KeyEnd, "left": tea.KeyLeft, "right": tea.KeyRight,
	}
	switch code, ok := special[name]; {
	case ok:
		return tea.KeyPressMsg{Code: code}
	case name == "ctrl+c":
		return tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}
	case name == "ctrl+z":
		return tea.KeyPressMsg{Code: 'z', Mod: tea.ModCtrl}
	case name == "space":
		return tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

var looks = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// screen is what a person sees, without looks.
func (s *story) screen() string { return looks.ReplaceAllString(s.model.View(), "") }

// fits checks what holds for every screen.
func (s *story) fits() {
	s.t.Helper()
	lines := strings.Split(s.screen(), "\n")
	if len(lines) != s.model.height {
		s.t.Errorf("%d lines on a terminal of %d:\n%s", len(lines), s.model.height, s.screen())
	}
	for _, l := range lines {
		if text.Width(l) > s.model.width {
			s.t.Errorf("%d columns on a terminal of %d: %q", text.Width(l), s.model.width, l)
		}
		if strings.ContainsFunc(l, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			s.t.Errorf("a control character: %q", l)
		}
	}
}

// shows fails unless all of the texts are to be seen.
func (s *story) shows(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if !strings.Contains(s.screen(), text) {
			s.t.Errorf("the screen does not show %q:\n%s", text, s.screen())
		}
	}
}

func (s *story) hides(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if strings.Contains(s.screen(), text) {
			s.t.Errorf("the screen shows %q:\n%s", text, s.screen())
		}
	}
}

// golden compares the screen with the file of a name.
func (s *story) golden(name string) {
	s.t.Helper()
	var b strings.Builder
	for l := range strings.SplitSeq(s.screen(), "\n") {
		fmt.Fprintln(&b, strings.TrimRight(l, " "))
	}
	compareGolden(s.t, name+".txt", b.String())
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); go test -update writes it anew:\n%s", path, diff)
	}
}
