package top

import (
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/top/inspect"
	"github.com/broodctl/brood/supervisor/events"
)

// seen is what there is to know of a worker of the shop.
func seen(w Worker) Seen {
	d := Detail{
		Report: inspect.Report{
			Processes: []inspect.Process{
				{PID: w.PID, State: 'S', Name: "node", Command: []string{"node", "server.js"}, CPU: 12 * time.Second, Threads: 11, Memory: 310 << 20},
				{PID: w.PID + 1, Depth: 1, State: 'S', Name: "sh", Command: []string{"sh", "-c", "convert in.png"}, Threads: 1, Memory: 1 << 20},
				{PID: w.PID + 2, Depth: 2, State: 'Z', Name: "convert", Threads: 1},
			},
			Files: inspect.Files{
				Total: 3, Kinds: []inspect.Kind{{Name: "socket", Count: 2}, {Name: "eventpoll", Count: 1}},
				Open: []inspect.File{{FD: 0, Target: "/dev/null"}, {FD: 3, Target: "socket:[99]"}, {FD: 4, Target: "anon_inode:[eventpoll]"}},
			},
			Limits:  []inspect.Limit{{Name: "open files", Soft: "1024", Hard: "524288", Unit: "files"}},
			Environ: []inspect.Variable{{Name: "API_KEY", Hidden: true}, {Name: "BROOD_SLOT", Value: "0"}},
		},
		Events: []control.Event{
			{Event: events.Event{ID: 1, Time: start(), Kind: events.Worker, PID: w.PID, State: "ready", From: "starting"}},
			{Event: events.Event{ID: 2, Time: start(), Kind: events.Death, PID: w.PID, Cause: "died", Exit: "exit 1"}},
		},
	}
	for i := range 60 {
		stream := "stdout"
		if i%7 == 0 {
			stream = "stderr"
		}
		d.Log = append(d.Log, control.LogLine{Time: start().Add(time.Duration(i) * time.Second), Stream: stream, Text: fmt.Sprintf("line %d", i)})
	}
	return Seen{Worker: w, Detail: d}
}

func TestWorkerIsReadAgainWithEachPicture(t *testing.T) {
	s := begin(t, 80, 24)
	s.press("down", "enter")
	if len(s.effects) != 1 {
		t.Fatalf("opening a worker: %v", s.effects)
	}
	look, ok := s.effects[0].(Look)
	if !ok || look.Worker.PID != 4720 || look.Parent != 4711 {
		t.Errorf("opening a worker: %+v", s.effects[0])
	}
	s.shows("reading ...")
	s.arrive(later(), time.Second)
	if len(s.effects) != 0 {
		t.Errorf("it is read twice at once: %v", s.effects)
	}
	s.tell(seen(look.Worker))
	s.shows("node server.js", "`-sh -c convert in.png", "`-[convert]")
	s.arrive(later(), time.Second)
	if len(s.effects) != 1 {
		t.Errorf("a new picture: %v", s.effects)
	}
	s.press("esc")
	s.arrive(later(), time.Second)
	if len(s.effects) != 0 {
		t.Errorf("it is read though nobody sees it: %v", s.effects)
	}
}

func TestWorkerThatIsGone(t *testing.T) {
	s := begin(t, 80, 24)
	s.press("down", "enter")
	snap := shop()
	snap.Pools[0].Workers = snap.Pools[0].Workers[1:]
	s.tell(seen(s.model.detail.worker))
	s.arrive(snap, time.Second)
	s.shows("it is gone; Esc goes back", "node server.js")
	other := s.model.detail.worker
	other.PID++
	s.tell(Seen{Worker: other, Detail: Detail{Report: inspect.Report{NoProcesses: errRefused}}})
	s.shows("node server.js")
}

// The page goes on with the worker that takes the place of the one that it was opened for.
func TestWorkerPageFollowsItsSlot(t *testing.T) {
	s := begin(t, 80, 24)
	s.press("down", "down", "down", "down", "enter") // slot 3 waits for its start
	s.shows("pid -")
	old := s.model.detail.worker
	other := old
	other.Slot = 2
	s.tell(Seen{Worker: other, Detail: Detail{Report: inspect.Report{NoProcesses: errRefused}}})
	s.hides("refused")
	snap := shop()
	snap.Pools[0].Workers[3] = worker(3, 4790, "starting", 1<<20, 0)
	s.arrive(snap, time.Second)
	s.shows("web slot 3  pid 4790  starting", "reading ...")
	if len(s.effects) != 1 || s.effects[0].(Look).Worker.PID != 4790 {
		t.Errorf("it is not looked at: %+v", s.effects)
	}
	s.tell(Seen{Worker: old, Detail: Detail{Report: inspect.Report{NoProcesses: errRefused}}})
	s.shows("reading ...")
	s.tell(seen(s.model.detail.worker))
	s.shows("   4790 S ")
	again := worker(3, 4791, "ready", 1<<20, 0)
	again.Started = again.Started.Add(time.Minute)
	snap.Pools[0].Workers = append(snap.Pools[0].Workers, again) // its successor
	s.arrive(snap, time.Second)
	s.shows("pid 4790")
	snap.Pools[0].Workers = append(snap.Pools[0].Workers[:3:3], again)
	s.arrive(snap, time.Second)
	s.shows("pid 4791  ready")
}

func TestReasonOfAWorkerIsShownWhole(t *testing.T) {
	s := begin(t, 60, 24)
	s.press("down", "down", "down", "enter")
	s.shows("queue 4", "readiness probe: GET /readyz: 503 Service Unavailable;", "\ndied: exit 1")
}

func TestWorkerWithoutRights(t *testing.T) {
	s := begin(t, 80, 24)
	s.press("down", "enter")
	denied := &fs.PathError{Op: "open", Path: "/proc/4720/environ", Err: fs.ErrPermission}
	s.tell(Seen{Worker: s.model.detail.worker, Detail: Detail{
		Report: inspect.Report{NoProcesses: inspect.ErrForeign, NoFiles: denied, NoEnviron: denied, NoLimits: inspect.ErrGone}, NoLog: errNoProcess, NoEvents: errRefused,
	}})
	s.shows("cannot show its processes: it runs elsewhere")
	s.press("tab")
	s.shows("permission denied: this user may not see its open files", "root may")
	s.press("tab")
	s.shows("cannot show its limits: it is gone")
	s.press("tab")
	s.shows("permission denied: this user may not see its environment")
	s.press("tab")
	s.shows("cannot show its log: there is no process")
	s.press("tab")
	s.shows("cannot show its events: refused")
	s.press("tab")
	s.shows("cannot show its processes")
}

func TestLogStaysAtItsEnd(t *testing.T) {
	s := begin(t, 80, 12)
	s.press("down", "enter", "5")
	s.tell(seen(s.model.detail.worker))
	s.shows("line 59")
	s.hides("line 40")
	s.press("up")
	s.hides("line 59")
	s.shows("line 58")
	s.press("home")
	s.shows("line 0")
	s.press("end")
	s.shows("line 59")
}

func TestSecretsAreNotShown(t *testing.T) {
	s := begin(t, 80, 24)
	s.press("down", "enter", "4")
	s.tell(seen(s.model.detail.worker))
	s.shows("API_KEY=(hidden)", "BROOD_SLOT=0")
}
