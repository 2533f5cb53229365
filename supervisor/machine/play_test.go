package machine

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// play is a pool in a story: events are told by place, and every step is checked by the rules of the model, too.
type play struct {
	t    *testing.T
	w    *world
	acts []Action // of the last step
}

func begins(t *testing.T, spec Spec) *play {
	t.Helper()
	w, err := begin(spec, plenty)
	if err != nil {
		t.Fatal(err)
	}
	return &play{t: t, w: w}
}

// serving begins a pool and makes all its workers ready.
func serving(t *testing.T, spec Spec) *play {
	t.Helper()
	p := begins(t, spec)
	for slot := range spec.Workers {
		p.ready(slot, A)
	}
	return p
}

func (p *play) step(ev Event) {
	p.t.Helper()
	_, p.acts = Step(p.w.st, ev)
	p.w.left = plenty
	to, err := p.w.after(happening{ev: ev})
	if err != nil {
		p.t.Fatalf("%v: %T%+v: %v", p.w.picture(), ev, ev, err)
	}
	p.w = to
}

// late is news that must change nothing.
func (p *play) late(ev Event) {
	p.t.Helper()
	if err := p.w.ignores(ev); err != nil {
		p.t.Fatal(err)
	}
}

func (p *play) ref(slot int, side Side) Ref {
	p.t.Helper()
	ref := Ref{Slot: slot, Side: side, Inc: p.w.holder(index(slot, side))}
	if ref.Inc == 0 {
		p.t.Fatalf("nobody is at %d%v: %v", slot, side, p.w.picture())
	}
	return ref
}

func (p *play) ready(slot int, side Side) { p.t.Helper(); p.step(BecameReady{Ref: p.ref(slot, side)}) }
func (p *play) crash(slot int, side Side) { p.t.Helper(); p.step(Died{Ref: p.ref(slot, side)}) }
func (p *play) roll()                     { p.t.Helper(); p.step(RollRequested{}) }

// ends is a death that was asked for.
func (p *play) ends(slot int, side Side) {
	p.t.Helper()
	p.step(Died{Ref: p.ref(slot, side), Clean: true, Age: time.Hour})
}

func (p *play) fires(kind TimerKind, slot int, side Side) {
	p.t.Helper()
	p.step(TimerFired{Timer: Timer{Kind: kind, Ref: p.ref(slot, side)}})
}

// is compares the workers, slot by slot: "ready" for A alone, "settling|starting" for both sides, "|ready" for B alone.
// A number behind a health is the generation, where it is not 1.
func (p *play) is(want string) {
	p.t.Helper()
	var slots []string
	for _, slot := range p.w.st.Slots {
		var sides [2]string
		for side, v := range slot.Workers {
			switch {
			case v.Health == Free:
			case v.Generation != 1:
				sides[side] = fmt.Sprintf("%v%d", v.Health, v.Generation)
			default:
				sides[side] = v.Health.String()
			}
		}
		slots = append(slots, strings.TrimSuffix(sides[A]+"|"+sides[B], "|"))
	}
	if got := strings.Join(slots, " "); got != want {
		p.t.Fatalf("workers are  %s\nand should be %s", got, want)
	}
}

// did demands that the last step gave this action; fields that are zero may be anything.
func (p *play) did(want Action) {
	p.t.Helper()
	for _, a := range p.acts {
		if matches(a, want) {
			return
		}
	}
	p.t.Fatalf("no %T%+v in %+v", want, want, p.acts)
}

// didNot demands that the last step gave no action like this; fields that are zero may be anything.
func (p *play) didNot(unwanted Action) {
	p.t.Helper()
	for _, a := range p.acts {
		if matches(a, unwanted) {
			p.t.Fatalf("%T%+v was not to be", a, a)
		}
	}
}

func matches(a, want Action) bool {
	if reflect.TypeOf(a) != reflect.TypeOf(want) {
		return false
	}
	got, like := reflect.ValueOf(a), reflect.ValueOf(want)
	for i := range like.NumField() {
		if f := like.Field(i); !f.IsZero() && !reflect.DeepEqual(f.Interface(), got.Field(i).Interface()) {
			return false
		}
	}
	return true
}
