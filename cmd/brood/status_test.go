package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/supervisor"
)

var update = flag.Bool("update", false, "write what is compared in testdata anew")

// The status of a supervisor at its worst, as wide as it takes and in narrow terminals. What is cut is in the last columns;
// sentences are wrapped, and nothing of them is lost.
func TestStatusOfManyWidths(t *testing.T) {
	for _, width := range []int{0, 140, 80, 60, 30} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			var b strings.Builder
			printStatus(&b, troubled(), troubledSaid(), look{width: width})
			got := b.String()
			for line := range strings.Lines(got) {
				if n := text.Width(strings.TrimSuffix(line, "\n")); width >= 60 && n > width {
					t.Errorf("%d columns: %s", n, line)
				}
				if strings.TrimRight(line, " \n")+"\n" != line && line != "\n" {
					t.Errorf("blanks at the end of %q", line)
				}
			}
			if strings.ContainsAny(got, "\x1b\x07\r") {
				t.Errorf("it would steer a terminal: %q", got)
			}
			golden(t, fmt.Sprintf("status/%d.txt", width), got)
		})
	}
}

// golden compares with a file of testdata; -update writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got (go test ./cmd/brood -update writes it anew):\n%s", diff)
	}
}

func troubledSaid() lastSaid { return lastSaid{"web": "Error: Cannot find module 'expressss' \x1b[2J"} }

// troubled is a supervisor with all kinds of trouble.
func troubled() supervisor.Snapshot {
	now := time.Now()
	worker := func(slot, pid int, state string) supervisor.WorkerView {
		return supervisor.WorkerView{
			Slot: slot, WorkerID: new(slot), PID: pid, State: state, Ready: state == "ready", Generation: 3, Age: 4000, Started: now.Add(-4000 * time.Second),
		}
	}
	web := supervisor.PoolView{
		Name: "web", Phase: "serving", Generation: 3, Desired: 5, Ready: 2, Restarts: 12, State: "degraded",
		Autoscale: &supervisor.AutoscaleView{Min: 2, Max: 16},
		Deaths:    map[supervisor.Cause]int{supervisor.CauseOOM: 7, supervisor.CauseDiedYoung: 5, supervisor.CauseRecycled: 20},
		Rollout: &supervisor.RolloutView{
			Generation: 4, State: "failed", Reason: "slot 0: died_young: exit status 1 after 120ms; the previous generation serves on",
		},
		Unmet:     []string{"tcp://db.internal:5432: connection refused"},
		Listeners: []supervisor.ListenerView{{Name: "http", Address: "0.0.0.0:8080", Mode: "sharded"}},
		Workers: []supervisor.WorkerView{
			worker(0, 1234567, "ready"), worker(1, 1234568, "ready"), worker(2, 1234569, "unready"), worker(3, 1234570, "starting"), worker(4, 0, "waiting"),
		},
	}
	web.Workers[0].Usage = &supervisor.UsageView{Memory: 123 << 20, CPU: 4711, Pids: 9}
	web.Workers[1].Requests = new(uint64(4711000))
	for i := range 3 {
		web.Workers[i].Queue, web.Workers[i].Connections = &supervisor.QueueView{Depth: uint64(i * 128), Capacity: 511}, new(uint64(i*7))
	}
	web.Listeners[0].Queue = &supervisor.QueueView{Depth: 384, Capacity: 1533, Drops: 17}
	web.Workers[0].LastExit = "recycled: exit 0"
	web.Workers[1].Usage = &supervisor.UsageView{Memory: 1 << 30, CPU: 0.25, Pids: 9}
	web.Workers[2].Usage = &supervisor.UsageView{CPU: 90}
	web.Workers[2].Health = "readiness probe http /readyz: status 503 three times in a row: \x1b[31mdatabase gone\x1b[0m"
	web.Workers[2].LastExit = "oom: signal KILL; it had reached its limit of 512M"
	web.Workers[2].Restarts = 7
	web.Workers[3].Status = "loading\nmodels \x07"
	web.Workers[4].WorkerID = nil
	web.Workers[4].Restarts = 5
	web.Workers[4].LastExit = "died_young: exit 1; Error: Cannot find module 'expressss'"
	odd := supervisor.PoolView{
		Name: strings.Repeat("very-long-name.", 4) + "_1.0", Phase: "waiting", State: "starting", Desired: 1, WaitsFor: []string{"web"},
		Listeners: []supervisor.ListenerView{}, Workers: []supervisor.WorkerView{},
	}
	many := supervisor.PoolView{Name: "many", Phase: "serving", Generation: 1, Desired: 12, State: "degraded"}
	for i := range 12 {
		w := worker(i, 0, "waiting")
		w.WorkerID, w.LastExit = nil, "never_execed: cannot run /usr/local/bin/server-with-a-long-name: no such file or directory"
		if i%3 == 1 {
			w.LastExit = fmt.Sprintf("died: exit %d; and a long explanation of what may have been the reason", i)
		}
		many.Workers = append(many.Workers, w)
	}
	return supervisor.Snapshot{
		Name: "shop", Version: "1.0.0", PID: 4711, State: "degraded", Started: now.Add(-50 * time.Hour),
		Config: supervisor.ConfigView{
			File: "/etc/brood/shop.toml", Loaded: now.Add(-49 * time.Hour),
			Reload: &supervisor.ReloadView{
				State: "failed", At: now.Add(-2 * time.Minute), Error: "/etc/brood/shop.toml:12:1: unknown key wrokers in [pool.web]; did you mean \"workers\"?",
				Lines: []string{"Error: listen EADDRINUSE \x1b]0;evil\x07"},
			},
		},
		Pools: []supervisor.PoolView{web, odd, many},
	}
}

// shop is what somebody may see who was called at night.
func shop() supervisor.Snapshot {
	now := time.Now()
	worker := func(slot, pid int, cpu float64, memory uint64) supervisor.WorkerView {
		return supervisor.WorkerView{
			Slot: slot, WorkerID: new(slot), PID: pid, State: "ready", Ready: true, Generation: 3,
			Age: 93600, Started: now.Add(-26 * time.Hour), Usage: &supervisor.UsageView{CPU: cpu, Memory: memory << 20, Pids: 1, FDs: 40},
		}
	}
	web := supervisor.PoolView{
		Name: "web", Phase: "serving", Generation: 3, Desired: 4, Ready: 3, Restarts: 1, State: "degraded",
		Deaths:    map[supervisor.Cause]int{supervisor.CauseOOM: 1, supervisor.CauseStopped: 8},
		Listeners: []supervisor.ListenerView{{Name: "http", Address: "0.0.0.0:8080", Mode: "sharded", Queue: &supervisor.QueueView{Depth: 31, Capacity: 2044}}},
		Workers:   []supervisor.WorkerView{worker(0, 4720, 1310, 212), worker(1, 4721, 1402, 218), worker(2, 9035, 12, 180), worker(3, 4723, 1288, 209)},
	}
	for i := range web.Workers {
		w := &web.Workers[i]
		w.Queue, w.Connections = &supervisor.QueueView{Depth: uint64(i % 2), Capacity: 511}, new(uint64(20+3*i))
	}
	web.Workers[0].Leader = true
	ill := &web.Workers[2]
	ill.State, ill.Ready, ill.Age, ill.Started = "unready", false, 240, now.Add(-4*time.Minute)
	ill.Health, ill.Queue.Depth, ill.Restarts = "readiness probe http /readyz: status 503 three times in a row", 29, 1
	ill.LastExit = "oom: signal KILL; it had reached its limit of 512M"
	mailer := supervisor.PoolView{
		Name: "mailer", Phase: "serving", Generation: 3, Desired: 1, Restarts: 6, State: "degraded",
		Deaths: map[supervisor.Cause]int{supervisor.CauseDiedYoung: 6}, Listeners: []supervisor.ListenerView{},
		Workers: []supervisor.WorkerView{{Slot: 0, State: "waiting", Generation: 3, Restarts: 6, LastExit: "died_young: exit 1"}},
	}
	return supervisor.Snapshot{
		Name: "shop", Version: "1.0.0", PID: 4711, State: "degraded", Started: now.Add(-50 * time.Hour),
		Config: supervisor.ConfigView{File: "/etc/brood/shop.toml", Loaded: now.Add(-26 * time.Hour), Reloads: 1},
		Pools:  []supervisor.PoolView{web, mailer},
	}
}

// What is told as trouble, and what is not.
func TestTroubles(t *testing.T) {
	serving := func(change func(*supervisor.PoolView)) *supervisor.PoolView {
		p := &supervisor.PoolView{
			Name: "web", State: supervisor.StateReady, Desired: 2, Ready: 2,
			Listeners: []supervisor.ListenerView{{Name: "http", Queue: &supervisor.QueueView{Depth: 10, Capacity: 511}}},
			Workers:   []supervisor.WorkerView{{Slot: 0, State: "ready", PID: 1, LastExit: "died: exit 1"}, {Slot: 1, State: "ready", PID: 2}},
		}
		change(p)
		return p
	}
	for _, tc := range []struct {
		name   string
		change func(*supervisor.PoolView)
		want   string
	}{
		{"all is well", func(*supervisor.PoolView) {}, ""},
		{"it starts", func(p *supervisor.PoolView) {
			p.State, p.Ready, p.Workers[1].State = supervisor.StateStarting, 1, "starting"
		}, ""},
		{"it stops", func(p *supervisor.PoolView) { p.State, p.Ready = supervisor.StateStopping, 1 }, ""},
		{"it starts and dies", func(p *supervisor.PoolView) {
			p.State, p.Ready = supervisor.StateStarting, 1
			p.Workers[1] = supervisor.WorkerView{Slot: 1, State: "waiting", LastExit: "died_young: exit 1"}
		}, "1 of 2 ready; slot 1: waiting after died_young: exit 1"},
		{"a rollout", func(p *supervisor.PoolView) { p.Rollout = &supervisor.RolloutView{Generation: 2, State: "rolling"} }, ""},
		{"a failed one", func(p *supervisor.PoolView) {
			p.Rollout = &supervisor.RolloutView{Generation: 2, State: "failed", Reason: "exit 7"}
		}, "rollout of generation 2: failed: exit 7"},
		{"a long queue", func(p *supervisor.PoolView) { p.Listeners[0].Queue.Depth = 65 }, "listener http: 65 of 511 queued"},
		{"a full queue", func(p *supervisor.PoolView) { p.Listeners[0].Queue.Capacity = 20 }, "listener http: 10 of 20 queued"},
		{"a queue of nobody", func(p *supervisor.PoolView) { p.State, p.Ready = supervisor.StateDegraded, 0 }, "0 of 2 ready; listener http: 10 of 511 queued"},
	} {
		if got := strings.Join(troubles(serving(tc.change)), "; "); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}
