package main

import (
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/supervisor/events"
)

// Each kind of event in words, in a narrow terminal: nothing is cut, and nothing steers the terminal.
func TestEventsInWords(t *testing.T) {
	all := []events.Event{
		{Kind: events.State, State: "starting"},
		{Kind: events.Pool, Pool: "web", State: "ready", From: "starting"},
		{Kind: events.Worker, Pool: "web", Slot: new(0), PID: 4711, Generation: 1, State: "starting"},
		{Kind: events.Worker, Pool: "web", Slot: new(0), PID: 4711, Generation: 1, From: "ready", State: "unready", Reason: "readiness probe: GET /readyz: 503 \x1b[2J"},
		{
			Kind: events.Death, Pool: "web", Slot: new(0), PID: 4711, Generation: 1, Cause: "oom", Exit: "SIGKILL", Age: new(3723.0),
			Detail: "it had reached its limit of 512M", Lines: []string{"allocating\x07", "more"}, Next: "restarted at once",
		},
		{
			Kind: events.Death, Pool: "web", Slot: new(1), Generation: 1, Cause: "never_execed", Exit: "cannot find /usr/local/bin/server", Age: new(0.0),
			Next: "restarted after a backoff", After: 3.4,
		},
		{Kind: events.Scale, Pool: "web", Before: 2, Workers: 3, Reason: "queue"},
		{Kind: events.Rollout, Pool: "web", Generation: 2, State: "failed", Reason: "worker web.0 (pid 12) died before it was ready: exit 7", Lines: []string{"TypeError"}},
		{Kind: events.Reload, State: "done"},
		{Kind: events.Repair, Pool: "web", Slot: new(2), PID: 4712, Listener: "http", Detail: "nonblock"},
		{Kind: events.Signal, Signal: "SIGHUP"},
		{Kind: events.Request, Verb: "roll", UID: new(1000), PID: 99},
		{Kind: events.Request, Verb: "stop", PID: 0, From: "192.0.2.1:4000"},
		{Kind: "later", State: "new"},
	}
	var out strings.Builder
	missed := control.Event{Event: events.Event{Kind: "missed", Time: time.Now()}, Missed: 17}
	if err := printEvent(&out, missed, 80); err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		e.Time = time.Date(2026, 3, 1, 9, 0, 0, 0, time.Local)
		if err := printEvent(&out, control.Event{Event: e}, 80); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(out.String()) {
		if text.Width(line)-1 > 80 {
			t.Errorf("too wide: %q", line)
		}
	}
	golden(t, "events-80.txt", steadyWords(out.String()))
}

// The day is said of what was not today.
func TestWhen(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 1, 0, time.Local)
	for ago, want := range map[time.Duration]string{time.Second: "00:00:00.000", 2 * time.Second: "2026-02-28 23:59:59.000", 365 * 24 * time.Hour: "2025-03-01 00:00:01.000"} {
		if got := when(now.Add(-ago), now); got != want {
			t.Errorf("%s ago: %s, want %s", ago, got, want)
		}
	}
}
