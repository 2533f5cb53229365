package machine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// walkLength is enough for a pool of 64 to start, roll and stop several times over.
const walkLength = 400

// TestWalks takes random ways through pools that are too large to be searched, with nothing bounded.
func TestWalks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := anySpec(t)
		w, err := begin(spec, budget{})
		if err != nil {
			t.Fatal(err)
		}
		w.menu = []Spec{pool(2, 1, 0, canary, func(s *Spec) { s.Claims = spec.Claims })} // beside any other
		w.canonical()
		way := &trail{}
		for range rapid.IntRange(1, walkLength).Draw(t, "steps") {
			w = way.take(t, w, w.draw(t))
			if rapid.IntRange(0, 30).Draw(t, "upgrade?") == 0 {
				w = w.upgraded(t)
			}
			if w.exited {
				return
			}
		}
		rest(t, way, w)
	})
}

func anySpec(t *rapid.T) Spec {
	workers := rapid.SampledFrom([]int{1, 2, 3, 4, 6, 8, 16, 64}).Draw(t, "workers")
	spec := pool(workers, rapid.IntRange(0, 4).Draw(t, "surge"), rapid.IntRange(0, 3).Draw(t, "unavailable"))
	spec.Order = rapid.SampledFrom([]Order{StartFirst, StopFirst}).Draw(t, "order")
	spec.Leader = rapid.IntRange(0, 3).Draw(t, "leader?") == 0
	spec.Claims = rapid.IntRange(0, 2).Draw(t, "claims?") == 0
	spec.KeepIDs = rapid.Bool().Draw(t, "keep ids?")
	spec.Turns = spec.Claims && rapid.Bool().Draw(t, "turns?")
	spec.Reload = rapid.SampledFrom([]ReloadPolicy{ReloadAuto, ReloadSignal, ReloadRoll}).Draw(t, "reload")
	spec.Restart = rapid.SampledFrom([]RestartPolicy{0, 0, 0, RestartOnFailure, RestartNever}).Draw(t, "restart")
	if rapid.IntRange(0, 2).Draw(t, "percent?") == 0 {
		spec.SurgePercent = rapid.SampledFrom([]int{0, 1, 25, 100, 300}).Draw(t, "surge percent")
		spec.UnavailablePercent = rapid.SampledFrom([]int{0, 1, 25, 100}).Draw(t, "unavailable percent")
	}
	for _, d := range []struct {
		of   *time.Duration
		name string
		some time.Duration
	}{
		{&spec.Settle, "settle", time.Second},
		{&spec.ReadyTimeout, "ready timeout", time.Minute},
		{&spec.MinReady, "min ready", 5 * time.Second},
		{&spec.Canary, "canary", 3 * time.Second},
		{&spec.StopDelay, "stop delay", 2 * time.Second},
		{&spec.Trace, "trace", time.Second},
		{&spec.RecycleGap, "recycle gap", 4 * time.Second},
	} {
		*d.of = rapid.SampledFrom([]time.Duration{0, d.some, 2 * d.some}).Draw(t, d.name)
	}
	spec.Backoff.GiveUpAfter = rapid.SampledFrom([]int{0, 0, 0, 5}).Draw(t, "give up after")
	spec.FirstID = rapid.IntRange(0, 5).Draw(t, "first id")
	if spec.Order == StartFirst {
		spec.MaxSurge = max(spec.MaxSurge, 1)
	} else {
		spec.MaxUnavailable = max(spec.MaxUnavailable, 1)
	}
	spec.LastID = spec.FirstID + workers + surgeOf(&spec) - 1 + rapid.IntRange(0, 70).Draw(t, "spare ids")
	return spec
}

// draw picks what happens next. What brings a pool forward is likelier than what disturbs it, and what ends it rare.
func (w *world) draw(t *rapid.T) happening {
	w.left = plenty
	if rapid.IntRange(0, 150).Draw(t, "end?") > 0 && !w.stopping {
		w.left.terms, w.left.stops = 0, 0
	}
	var news, helps, late []happening
	for _, h := range w.possible(nil) {
		switch {
		case h.late:
			late = append(late, h)
		case h.helps:
			helps = append(helps, h)
		default:
			if _, kill := h.ev.(KillRequested); !kill || w.left.terms > 0 {
				news = append(news, h)
			}
		}
	}
	news = append(news, w.scaled(t)...)
	pick := func(from []happening) happening {
		return from[rapid.IntRange(0, len(from)-1).Draw(t, "which")]
	}
	switch kind := rapid.IntRange(0, 9).Draw(t, "kind"); {
	case kind < 6 && len(helps) > 0:
		return pick(helps)
	case kind < 9 || len(late) == 0:
		return pick(news)
	default:
		return pick(late)
	}
}

var plenty = budget{
	total: 99, crashes: 99, remains: 99, leaves: 99, lates: 99,
	rolls: 99, reloads: 99, scales: 99, dumps: 99, changes: 99, aborts: 99, unfits: 99, dues: 99, losses: 99, others: 99, strays: 99, terms: 99, stops: 99,
}

// scaled asks for any number of workers, and a few times for users' requests, so that they are not drowned in deaths.
func (w *world) scaled(t *rapid.T) []happening {
	if w.stopping {
		return nil
	}
	n := rapid.IntRange(1, 64).Draw(t, "scale to")
	if !w.scales(n) {
		n = w.wanted() // changes nothing
	}
	spec := w.spec
	if rapid.IntRange(0, 3).Draw(t, "change?") == 0 {
		spec = anySpec(t)
		spec.Claims = w.spec.Claims // another one is ignored
		spec.Turns = spec.Turns && spec.Claims
	}
	some := []happening{
		{ev: SpecChanged{Spec: spec}},
		{ev: SpecChanged{Spec: spec, Roll: true}},
		{ev: ScaleRequested{Workers: n}},
		{ev: RollRequested{}},
		{ev: ReloadRequested{Safe: w.safe()}},
		{ev: DumpRequested{}},
		{ev: AbortRequested{}, late: w.open == 0 && !w.queued},
	}
	return append(some, some...)
}

// rest lets a pool come to rest: with nothing but the help that comes even where nobody obeys, it gets where it was to be.
func rest(t *rapid.T, way *trail, w *world) {
	// Every worker may have to start, and its predecessor and one of its own generation to be steered away from,
	// told, killed and reaped; two rollouts may follow, and a dump by everybody.
	for range 200 * (len(w.procs) + 1) {
		w.left = budget{}
		var helps []happening
		for _, h := range w.possible(nil) {
			if h.helps && !h.late {
				helps = append(helps, h)
			}
		}
		if len(helps) == 0 || w.exited {
			if err := w.arrived(); err != nil {
				t.Fatalf("%v\n  %v%s", err, w.picture(), way)
			}
			return
		}
		w = way.take(t, w, helps[rapid.IntRange(0, len(helps)-1).Draw(t, "helps")])
	}
	t.Fatalf("I9: never comes to rest%s", way)
}

// trail is the way so far, for the case that it ends badly.
type trail struct{ steps []string }

func (tr *trail) take(t *rapid.T, w *world, h happening) *world {
	before := w.encode(nil)
	to, err := w.after(h)
	if string(before) != string(w.encode(nil)) {
		t.Fatalf("books: the step %v changed the state that it was given", h)
	}
	if err != nil {
		t.Fatalf("%v\nthe way there:%s\n  %v\n    %v", err, tr, w.picture(), h)
	}
	if to == nil {
		return w
	}
	if len(w.procs) <= 12 {
		tr.steps = append(tr.steps, fmt.Sprintf("\n  %v\n    %v", w.picture(), h))
	}
	to.canonical()
	return to
}

func (tr *trail) String() string { return strings.Join(tr.steps, "") }
