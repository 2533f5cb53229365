package supervisor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/fleet"
	"github.com/broodctl/brood/internal/lease/remote"
)

// others are the rest of a fleet.
type others struct {
	fleet.Fleet
	t *testing.T
}

// inFleet runs a story of a supervisor whose pool takes turns with others.
func inFleet(t *testing.T, w *world, story func(*stage, *fleetWay, *others)) {
	t.Helper()
	c := fleet.Config{Name: "web", MaxParallel: 1, StopAfter: 1}
	sharedBy(t, w, func(cfg *Config) {
		p := &cfg.Desired.Pools[0]
		p.Fleet, p.Spec.Turns = c, true
	}, func(s *stage, way *fleetWay) {
		engine, err := way.server.Client().Engine(remote.Config{Who: "them"})
		if err != nil {
			t.Fatal(err)
		}
		story(s, way, &others{Fleet: fleet.Fleet{Engine: engine, Config: c}, t: t})
		s.ask(Request{Verb: Stop})
		s.after(time.Minute) // what is given back is on its way for a while
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
}

// roll begins a rollout of theirs, and returns what ends it.
func (o *others) roll() (end func()) {
	o.t.Helper()
	turn, err := fleet.NewQueue(o.Fleet).Take(context.Background())
	if err != nil {
		o.t.Fatal(err)
	}
	return func() {
		if err := turn.Release(context.Background()); err != nil {
			o.t.Error(err)
		}
	}
}

// may says why they cannot roll now; "" if they can.
func (o *others) may() string {
	o.t.Helper()
	q := fleet.NewQueue(o.Fleet)
	turn, err := q.Take(context.Background())
	if err != nil {
		return q.Explain(context.Background(), err)
	}
	if err := turn.Release(context.Background()); err != nil {
		o.t.Error(err)
	}
	return ""
}

// us is what they read of us.
func (o *others) us() fleet.MemberView {
	o.t.Helper()
	v, err := o.View(context.Background())
	if err != nil {
		o.t.Fatal(err)
	}
	at := slices.IndexFunc(v.Members, func(m fleet.MemberView) bool { return m.Who == "us" && !m.Lost })
	if at < 0 {
		return fleet.MemberView{}
	}
	return v.Members[at]
}

func (o *others) wantState(state string) {
	o.t.Helper()
	if got := o.us(); got.State != state || got.Pool != "web" {
		o.t.Errorf("they read %+v, and it is %s", got, state)
	}
}

func TestRolloutWaitsForOthers(t *testing.T) {
	inFleet(t, &world{}, func(s *stage, _ *fleetWay, o *others) {
		o.wantState(fleet.Idle)
		end := o.roll()
		roll := s.ask(Request{Verb: Roll})
		s.after(time.Minute)
		o.wantState(fleet.Waits)
		snap := s.sup.Snapshot()
		p := snap.Pools[0]
		if r := p.Rollout; r == nil || r.State != stateWaiting || r.Generation != 2 || r.Reason != "them rolls" {
			t.Errorf("the rollout is %+v", r)
		}
		if got := p.Claims.Waits; !slices.Equal(got, []string{"waits for its turn at the rollout: them rolls"}) || p.Fleet.State != fleet.Waits {
			t.Errorf("it waits for %q, and says %s", got, p.Fleet.State)
		}
		if !strings.Contains(snap.Summary(), "waits for its turn at the rollout: them rolls") {
			t.Errorf("systemd reads %q", snap.Summary())
		}
		if !roll.waits() {
			t.Fatal("the rollout does not wait")
		}
		end()
		s.after(2 * time.Second)
		o.wantState(fleet.Rolls)
		if got := o.may(); got != "us rolls" {
			t.Errorf("they are told %q", got)
		}
		s.after(time.Minute)
		if v := roll.answer(); v.Err != nil {
			t.Errorf("%+v", v)
		}
		o.wantState(fleet.Done)
		if got := o.may(); got != "" {
			t.Errorf("they are told %q", got)
		}
	})
}

// What waits can be taken back, and has failed nowhere.
func TestAbortOfARolloutThatWaits(t *testing.T) {
	inFleet(t, &world{}, func(s *stage, _ *fleetWay, o *others) {
		end := o.roll()
		roll := s.ask(Request{Verb: Roll})
		s.after(time.Second)
		if v := s.ask(Request{Verb: Roll, Abort: true}).answer(); v.Err != nil || !strings.Contains(v.Text, "it had not begun") {
			t.Errorf("%+v", v)
		}
		if v := roll.answer(); !errors.Is(v.Err, ErrRollout) {
			t.Errorf("%+v", v)
		}
		end()
		s.after(time.Minute)
		o.wantState(fleet.Idle)
		if got := o.may(); got != "" {
			t.Errorf("they are told %q", got)
		}
		if v := s.ask(Request{Verb: Roll, Abort: true}).answer(); !errors.Is(v.Err, ErrNothing) {
			t.Errorf("%+v", v)
		}
	})
}

// Nobody has the next turn before all can know that the last one failed, also if nobody can be told for a while.
func TestFailedRolloutStopsTheFleet(t *testing.T) {
	const says = "the fleet web is stopped: rolling at us on vm failed: worker web.0 (pid "
	for name, cut := range map[string]time.Duration{"at once": 0, "cut off": 3 * time.Second, "cut off for long": time.Minute} {
		t.Run(name, func(t *testing.T) {
			w := &world{behave: func(n int, p *fakeProcess) {
				if n > 1 { // of another generation
					p.ready = -1
				}
			}}
			inFleet(t, w, func(s *stage, way *fleetWay, o *others) {
				roll := s.ask(Request{Verb: Roll})
				s.after(59 * time.Second)
				if cut > 0 {
					way.client.Cut()
				}
				s.after(3 * time.Second)
				if v := roll.answer(); !errors.Is(v.Err, ErrRollout) {
					t.Fatalf("%+v", v)
				}
				if got := o.may(); cut == 0 && !strings.HasPrefix(got, says) || cut > 0 && got != "us rolls" {
					t.Errorf("they are told %q", got)
				}
				s.after(cut)
				way.client.Join()
				s.after(time.Minute)
				if got := o.may(); !strings.HasPrefix(got, says) {
					t.Errorf("they are told %q", got)
				}
				o.wantState(fleet.Failed)
				v, err := o.View(context.Background())
				if err != nil || v.Failures != 1 {
					t.Errorf("%d failures are counted: %v", v.Failures, err)
				}
				again := s.ask(Request{Verb: Roll})
				s.after(time.Minute)
				if !again.waits() {
					t.Errorf("it rolls again: %+v", again.answer())
				}
				resume := s.ask(Request{Verb: Resume})
				s.after(time.Second)
				if v := resume.answer(); v.Err != nil || !strings.Contains(v.Text, "goes on, which was stopped: rolling at us") {
					t.Errorf("%+v", v)
				}
				o.wantState(fleet.Rolls)
			})
		})
	}
}

// A stop in the middle of a rollout is no failure, and gives the turn back.
func TestStopFreesTheTurn(t *testing.T) {
	w := &world{behave: func(n int, p *fakeProcess) {
		if n > 1 {
			p.ready = -1
		}
	}}
	inFleet(t, w, func(s *stage, _ *fleetWay, o *others) {
		s.ask(Request{Verb: Roll})
		s.after(time.Second)
		o.wantState(fleet.Rolls)
		s.ask(Request{Verb: Stop})
		s.after(time.Minute)
		if got := o.may(); got != "" {
			t.Errorf("they are told %q", got)
		}
		if us := o.us(); us.Who != "" {
			t.Errorf("they still read %+v", us)
		}
	})
}

// systemd does not give a reload up that waits for its turn.
func TestSystemdWaitsForTheTurn(t *testing.T) {
	w := &world{}
	inFleet(t, w, func(s *stage, _ *fleetWay, o *others) {
		end := o.roll()
		s.ask(Request{Verb: Roll})
		begin := w.extensions()
		s.after(time.Minute)
		if n := w.extensions() - begin; n < 5 {
			t.Errorf("%d extensions in a minute", n)
		}
		end()
		s.after(time.Minute)
		begin = w.extensions()
		s.after(time.Minute)
		if n := w.extensions() - begin; n > 0 {
			t.Errorf("%d extensions when nothing waits", n)
		}
	})
}

func (w *world) extensions() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, word := range w.systemd {
		if strings.HasPrefix(word, "EXTEND_TIMEOUT_USEC=") {
			n++
		}
	}
	return n
}
