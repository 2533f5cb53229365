package progress

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/broodctl/brood/supervisor"
)

func TestCompare(t *testing.T) {
	rolling := rollout(2, rolloutRolling, "")
	one := pool("web", 1, "0 a 99 ready 1")
	waiting := func(p *supervisor.PoolView) { p.Workers[0].LastExit = diedYoung }
	for _, tc := range []struct {
		name          string
		before, after supervisor.PoolView
		want          []Event
	}{
		{"nothing", one, one, nil},
		{"ages and words of a worker", one, with(one, func(p *supervisor.PoolView) {
			p.Workers[0].Age, p.Workers[0].Status = 7, "busy"
		}), nil},
		{
			"a worker that is being forked", pool("web", 1, "0 a 0 waiting 1"), pool("web", 1, "0 a 0 starting 1"), nil,
		},
		{
			"it runs", pool("web", 1, "0 a 0 starting 1"), pool("web", 1, "0 a 99 starting 1"),
			[]Event{{Kind: KindWorker, PID: 99, State: "starting", Generation: 1}},
		},
		{
			"its start is missed", pool("web", 1, "0 a 0 waiting 1"), one,
			[]Event{
				{Kind: KindWorker, PID: 99, State: "ready", From: "waiting", Generation: 1},
				{Kind: KindReady, Done: 1, Total: 1, Generation: 1},
			},
		},
		{
			"a crash", one, with(pool("web", 1, "0 a 0 waiting 1"), waiting),
			[]Event{
				{Kind: KindGone, PID: 99, From: "ready", Generation: 1, Reason: diedYoung},
				{Kind: KindWorker, State: "waiting", Generation: 1, Reason: diedYoung},
			},
		},
		{
			"a crash whose wait is missed", one, pool("web", 1, "0 a 100 ready 1"),
			[]Event{
				{Kind: KindGone, PID: 99, From: "ready", Generation: 1},
				{Kind: KindWorker, PID: 100, State: "ready", Generation: 1},
			},
		},
		{
			"a pid that comes again", one, with(one, func(p *supervisor.PoolView) { p.Workers[0].Started = born(500) }),
			[]Event{
				{Kind: KindGone, PID: 99, From: "ready", Generation: 1},
				{Kind: KindWorker, PID: 99, State: "ready", Generation: 1},
			},
		},
		{
			"a successor", with(one, rolling), with(pool("web", 1, "0 a 99 settling 1", "0 b 123 ready 2"), rolling),
			[]Event{
				{Kind: KindWorker, PID: 123, State: "ready", Generation: 2},
				{Kind: KindWorker, PID: 99, Old: true, State: "settling", From: "ready", Generation: 1},
			},
		},
		{
			"a whole rollout that is missed", one, with(pool("web", 2, "0 b 123 ready 2"), rollout(2, rolloutDone, "")),
			[]Event{
				{Kind: KindWorker, PID: 123, State: "ready", Generation: 2},
				{Kind: KindGone, PID: 99, Old: true, From: "ready", Generation: 1},
				{Kind: KindRollout, State: "done", Done: 1, Total: 1, Generation: 2},
			},
		},
		{
			"an incumbent that stays after all",
			with(pool("web", 1, "0 a 99 settling 1", "0 b 123 starting 2"), rolling),
			with(pool("web", 1, "0 a 99 ready 1", "0 b 123 draining 2"), rollout(2, rolloutReverting, "late")),
			[]Event{
				{Kind: KindRollout, State: "reverting", From: "rolling", Done: 1, Total: 1, Generation: 2, Reason: "late"},
				{Kind: KindWorker, PID: 99, State: "ready", From: "settling", Generation: 1},
				{Kind: KindWorker, PID: 123, State: "draining", From: "starting", Generation: 2},
			},
		},
		{
			"the next rollout at once", with(one, rolling), with(one, rollout(3, rolloutRolling, "")),
			[]Event{{Kind: KindRollout, State: "rolling", Total: 1, Generation: 3}},
		},
		{
			"one more", one, pool("web", 1, "0 a 99 ready 1", "1 a 100 starting 1"),
			[]Event{
				{Kind: KindScale, Done: 1, Total: 2, Generation: 1},
				{Kind: KindWorker, Slot: 1, PID: 100, State: "starting", Generation: 1},
			},
		},
		{
			"one fewer", pool("web", 1, "0 a 99 ready 1", "1 a 100 ready 1"),
			pool("web", 1, "0 a 99 ready 1", "|", "1 a 100 draining 1"),
			[]Event{
				{Kind: KindScale, Done: 1, Total: 1, Generation: 1},
				{Kind: KindWorker, Slot: 1, PID: 100, State: "draining", From: "ready", Generation: 1},
			},
		},
		{
			"a turn of a rollout that stops first", with(pool("web", 1, "0 a 0 waiting 2"), rolling),
			with(pool("web", 1, "0 a 100 ready 2"), rolling),
			[]Event{{Kind: KindWorker, PID: 100, State: "ready", From: "waiting", Generation: 2}},
		},
		{"the stop", one, with(one, func(p *supervisor.PoolView) { p.Phase = "stopping" }), []Event{
			{Kind: KindPhase, State: "stopping", Done: 1, Total: 1, Generation: 1},
		}},
	} {
		for i := range tc.want {
			tc.want[i].Pool = "web"
		}
		if diff := cmp.Diff(tc.want, Compare(snap(tc.before), snap(tc.after))); diff != "" {
			t.Errorf("%s:\n%s", tc.name, diff)
		}
	}
}

func TestComparePoolsThatComeAndGo(t *testing.T) {
	got := Compare(snap(pool("jobs", 1, "0 a 7 draining 1")), snap(pool("web", 1, "0 a 99 starting 1")))
	want := []Event{
		{Kind: KindAdded, Pool: "web", Total: 1, Generation: 1},
		{Kind: KindWorker, Pool: "web", PID: 99, State: "starting", Generation: 1},
		{Kind: KindGone, Pool: "jobs", PID: 7, From: "draining", Generation: 1},
		{Kind: KindRemoved, Pool: "jobs", Generation: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCompareReloads(t *testing.T) {
	p, rolling := pool("web", 1, "0 a 99 ready 1"), pool("web", 1, "0 a 99 ready 1")
	rollout(2, rolloutRolling, "")(&rolling)
	for _, tc := range []struct {
		name          string
		before, after supervisor.Snapshot
		want          []Kind
	}{
		{"it begins", reloading("", "", p), reloading(reloadPreparing, "", p), []Kind{KindReload}},
		{"it goes on", reloading(reloadPreparing, "", p), reloading(reloadPreparing, "", rolling), []Kind{KindRollout}},
		{"it is applied", reloading(reloadPreparing, "", p), reloading(reloadApplying, "", rolling), []Kind{KindReload, KindRollout}},
		{"it fails", reloading(reloadApplying, "", p), reloading(reloadFailed, "no", rolling), []Kind{KindRollout, KindReload}},
	} {
		var got []Kind
		for _, ev := range Compare(tc.before, tc.after) {
			got = append(got, ev.Kind)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s:\n%s", tc.name, diff)
		}
	}
}

func TestSlotsAreThereWithoutWorkers(t *testing.T) {
	p := pool("web", 1, "1 a 99 ready 1", "|", "5 a 100 draining 1")
	p.Desired = 3
	var got []int
	for _, s := range slots(&p) {
		if (s.successor == nil) != (s.index == 0 || s.index == 2) {
			t.Errorf("slot %d: %+v", s.index, s.successor)
		}
		got = append(got, s.index)
	}
	if diff := cmp.Diff([]int{0, 1, 2, 5}, got); diff != "" {
		t.Error(diff)
	}
}

// Every state that the supervisor has a word for is known here: one that is on its way out is told as such.
func TestWorkersThatLeave(t *testing.T) {
	page, err := os.ReadFile("../../docs/states.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "## Healths")
	table, _, _ = strings.Cut(table, "## Moves")
	leaves := map[string]bool{
		"free": false, "waiting": false, "finished": false, "starting": false, "proving": false, "ready": false, "unready": false, "failing": false,
		"settling": true, "retiring": true, "draining": true, "tracing": true, "reaping": true, "killed": true,
	}
	rows := regexp.MustCompile(`(?m)^\| ([a-z]+) \|.*\| (?:yes|no) \|`).FindAllStringSubmatch(table, -1)
	if len(rows) != len(leaves) {
		t.Errorf("the page has %d states, want %d", len(rows), len(leaves))
	}
	for _, row := range rows {
		if want, known := leaves[row[1]]; !known || leaving(row[1]) != want {
			t.Errorf("%s: known %t, leaving %t", row[1], known, leaving(row[1]))
		}
	}
	for _, tc := range []struct{ from, want string }{
		{"draining", "worker pid 99 left"},
		{"reaping", "worker pid 99 was killed: hang"},
		{"killed", "worker pid 99 was killed: hang"},
		{"tracing", "worker pid 99 ended: hang"},
	} {
		if got := workerWords(&Event{Kind: KindGone, PID: 99, From: tc.from, Reason: "hang"}); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.from, got, tc.want)
		}
	}
	if got := workerWords(&Event{Kind: KindWorker, PID: 99, State: "reaping"}); got != "worker pid 99 gets SIGKILL" {
		t.Errorf("%q", got)
	}
}
