package progress

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/broodctl/brood/supervisor"
)

// shown is a story on a terminal: the screen after each moment, and at the end.
func shown(t *testing.T, story []moment, columns, rows int) string {
	t.Helper()
	screen := newTerminal(t, columns, rows)
	p := New(Options{Out: screen, Form: Live, Size: func() (int, int) { return columns, rows }})
	var at time.Duration
	begin := time.Unix(1, 0)
	p.now = func() time.Time { return begin.Add(at) }
	var b strings.Builder
	for _, m := range story {
		at = m.at
		p.Update(m.snap)
		fmt.Fprintf(&b, "--- %s\n%s", seconds(at), screen)
	}
	at += time.Second
	p.End(Verdict{Outcome: Done})
	fmt.Fprintf(&b, "--- the end\n%s", screen)
	if screen.wrapped {
		t.Error("a line was wrapped")
	}
	if screen.writes > len(story)+1 {
		t.Errorf("%d writes of %d frames", screen.writes, len(story)+1)
	}
	return b.String()
}

func TestFrames(t *testing.T) {
	crowd := []moment{
		{0, snap(fleet("web", 200, 86, 0), pool("jobs", 1, "0 a 7 ready 1"))},
		{time.Second, snap(fleet("web", 200, 87, 5), pool("jobs", 1, "0 a 7 ready 1"))},
	}
	scale := []moment{
		{0, snap(pool("web", 1, "0 a 99 ready 1"))},
		{time.Second, snap(pool("web", 1, "0 a 99 ready 1", "1 a 100 starting 1", "2 a 0 starting 1"))},
		{2 * time.Second, snap(pool("web", 1, "0 a 99 ready 1", "1 a 100 ready 1", "2 a 0 waiting 1"))},
		{3 * time.Second, snap(pool("web", 1, "0 a 99 ready 1", "|", "1 a 100 draining 1"))},
		{4 * time.Second, snap(pool("web", 1, "0 a 99 ready 1"))},
	}
	reload := []moment{
		{0, reloading("", "", pool("web", 1, "0 a 99 ready 1"))},
		{time.Second, reloading(reloadPreparing, "", pool("web", 1, "0 a 99 ready 1"))},
		{2 * time.Second, reloading(reloadApplying, "", pool("web", 1, "0 a 99 ready 1"), held("jobs", "queue"))},
		{3 * time.Second, reloading(reloadReverting, "cannot start jobs:\nno table", with(pool("web", 1, "0 a 99 ready 1"), unmet))},
		{4 * time.Second, reloading(reloadFailed, "cannot start jobs:\nno table", pool("web", 1, "0 a 99 ready 1"))},
	}
	standsBy := func(p *supervisor.PoolView) { p.Desired, p.StandsBy = p.Desired+1, 1 }
	standby := []moment{
		{0, snap(with(pool("web", 1, "1 a 99 ready 1"), standsBy))},
		{time.Second, snap(with(pool("web", 1, "1 a 99 ready 1", "2 a 100 starting 1"), standsBy))},
		{2 * time.Second, snap(with(pool("web", 1, "1 a 99 ready 1", "2 a 100 ready 1"), standsBy))},
	}
	for _, size := range []struct{ columns, rows int }{{80, 24}, {40, 10}} {
		for name, story := range map[string][]moment{"good": goodRollout(), "bad": badRollout(), "crowd": crowd, "scale": scale, "reload": reload, "standby": standby} {
			golden(t, fmt.Sprintf("live-%s-%dx%d.txt", name, size.columns, size.rows), shown(t, story, size.columns, size.rows))
		}
	}
}

func TestColours(t *testing.T) {
	got := told(goodRollout(), Options{Form: Live, Colour: true, Size: func() (int, int) { return 80, 24 }}, Verdict{})
	for _, want := range []string{"\x1b[33mstarting\x1b[0m", "\x1b[32mready\x1b[0m", "\x1b[2m, old settling\x1b[0m", "\x1b[36m##########\x1b[0m"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	grey := told(goodRollout(), Options{Form: Live, Size: func() (int, int) { return 80, 24 }}, Verdict{})
	if strings.Contains(grey, "m") && strings.Contains(grey, "\x1b[0m") {
		t.Errorf("colours: %q", grey)
	}
}

// What does not change is not written again, and clocks move without news.
func TestRedraw(t *testing.T) {
	screen := newTerminal(t, 80, 24)
	p := New(Options{Out: screen, Form: Live, Size: func() (int, int) { return 80, 24 }})
	at := time.Unix(1, 0)
	p.now = func() time.Time { return at }
	p.redraw() // before there is anything
	calm := snap(pool("web", 1, "0 a 99 ready 1"))
	p.Update(calm)
	at = at.Add(time.Minute)
	p.Update(calm)
	p.redraw()
	if screen.writes != 1 {
		t.Errorf("%d writes while nothing happens", screen.writes)
	}
	p.Update(snap(pool("web", 1, "0 a 99 draining 1")))
	at = at.Add(1500 * time.Millisecond)
	p.redraw()
	if got := screen.String(); !strings.Contains(got, "draining  1.5s") {
		t.Errorf("after 1.5s:\n%s", got)
	}
}

// A terminal that becomes narrower wraps what stands there; the next frame takes its place all the same.
func TestNarrowerTerminal(t *testing.T) {
	width := 80
	var out strings.Builder
	p := New(Options{Out: &out, Form: Live, Size: func() (int, int) { return width, 24 }})
	p.Update(snap(fleet("web", 4, 1, 1)))
	out.Reset()
	width = 30
	p.Update(snap(fleet("web", 4, 1, 2)))
	if got := out.String(); !strings.HasPrefix(got, "\r\x1b[5A") {
		t.Errorf("a head of 61 columns and a row of 42 take 5 rows of 30 columns: %q", got)
	}
}

func TestFramesFit(t *testing.T) {
	states := []string{stateWaiting, stateStarting, stateReady, stateProving, stateSettling, stateRetiring, stateDraining, stateKilled, stateFinished, stateUnready, stateFailing, stateTracing, "unknown"}
	text := rapid.StringOf(rapid.RuneFrom([]rune("ab \x1b\n\u009b\u202e界é\u0301字")))
	worker := rapid.Custom(func(t *rapid.T) supervisor.WorkerView {
		return supervisor.WorkerView{
			PID: rapid.IntRange(0, 1<<22).Draw(t, "pid"), State: rapid.SampledFrom(states).Draw(t, "state"),
			Generation: rapid.Uint64Range(1, 3).Draw(t, "generation"), Status: text.Draw(t, "status"), LastExit: text.Draw(t, "exit"),
		}
	})
	pools := rapid.Custom(func(t *rapid.T) []supervisor.PoolView {
		var all []supervisor.PoolView
		for i := range rapid.IntRange(0, 12).Draw(t, "pools") {
			p := supervisor.PoolView{
				Name: fmt.Sprintf("pool%d", i), Phase: rapid.SampledFrom([]string{phaseWaiting, phasePreparing, phaseServing, "stopping"}).Draw(t, "phase"),
				Generation: 1, Desired: rapid.IntRange(0, 20).Draw(t, "desired"),
			}
			if state := rapid.SampledFrom([]string{"", rolloutWaiting, rolloutRolling, rolloutReverting, rolloutDone, rolloutFailed}).Draw(t, "rollout"); state != "" {
				p.Rollout = &supervisor.RolloutView{Generation: 2, State: state, Reason: text.Draw(t, "reason")}
			}
			for s := range rapid.IntRange(0, 20).Draw(t, "slots") {
				for _, side := range []string{"a", "b"}[:rapid.IntRange(0, 2).Draw(t, "sides")] {
					w := worker.Draw(t, "worker")
					w.Slot, w.Side = s, side
					p.Workers = append(p.Workers, w)
				}
			}
			all = append(all, p)
		}
		return all
	})
	rapid.Check(t, func(rt *rapid.T) {
		columns, rows := rapid.IntRange(1, 100).Draw(rt, "columns"), rapid.IntRange(1, 40).Draw(rt, "rows")
		screen := newTerminal(t, columns, rows)
		p := New(Options{Out: screen, Form: Live, Size: func() (int, int) { return columns, rows }})
		for range rapid.IntRange(1, 4).Draw(rt, "snapshots") {
			news := supervisor.Snapshot{Pools: pools.Draw(rt, "pools")}
			if state := rapid.SampledFrom([]string{"", reloadApplying, reloadFailed}).Draw(rt, "reload"); state != "" {
				news.Config.Reload = &supervisor.ReloadView{State: state, Error: text.Draw(rt, "error")}
			}
			p.Update(news)
			if screen.wrapped || len(screen.lines) > rows {
				rt.Fatalf("%d lines on %dx%d, wrapped %v:\n%s", len(screen.lines), columns, rows, screen.wrapped, screen)
			}
			if t.Failed() {
				rt.Fatal("see above")
			}
		}
		p.End(Verdict{})
		if screen.wrapped || len(screen.lines) > rows {
			rt.Fatalf("at the end %d lines on %dx%d:\n%s", len(screen.lines), columns, rows, screen)
		}
	})
}
