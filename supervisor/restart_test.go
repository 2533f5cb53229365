package supervisor

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/worker"
)

func TestRestartReplacesOneSlotStartFirst(t *testing.T) {
	w := &world{named: true}
	perform(t, w, nil, func(s *stage) {
		begin := len(w.lines())
		a := s.ask(Request{Verb: Restart, Pool: "web", Slot: new(1)})
		if !a.waits() {
			t.Errorf("answered before the end: %+v", a.answer())
		}
		s.after(10 * time.Second)
		if v := a.answer(); v.Err != nil || v.Text != "slot 1 of pool web is served by process 102 in place of 101" {
			t.Errorf("%+v", v)
		}
		var order []string
		for _, line := range w.lines()[begin:] {
			if !strings.HasPrefix(line, "steer") && !strings.HasPrefix(line, "adopt") && !strings.HasPrefix(line, "abandon") {
				order = append(order, line)
			}
		}
		if got := strings.Join(order, ", "); got != "start web.1/1, TERM web.1/1, end web.1/1" {
			t.Errorf("diary: %s", got)
		}
	})
}

func TestRestartOfWhatIsNotThere(t *testing.T) {
	perform(t, &world{}, nil, func(s *stage) {
		for slot, want := range map[int]error{2: ErrNoSlot, -1: ErrNoSlot, 1 << 40: ErrNoSlot} {
			if v := s.ask(Request{Verb: Restart, Pool: "web", Slot: &slot}).answer(); !errors.Is(v.Err, want) {
				t.Errorf("slot %d: %+v", slot, v)
			}
		}
		if v := s.ask(Request{Verb: Restart, Pool: "db", Slot: new(0)}).answer(); !errors.Is(v.Err, ErrNoPool) {
			t.Errorf("%+v", v)
		}
		s.world.process(1).end(worker.Exit{Code: 1})
		s.world.process(1).end(worker.Exit{Code: 1})
		s.after(0)
		s.world.process(2).end(worker.Exit{Code: 1}) // at once again, so that the next one waits
		s.after(0)
		if v := s.ask(Request{Verb: Restart, Pool: "web", Slot: new(1)}).answer(); !errors.Is(v.Err, errWaits) {
			t.Errorf("%+v", v)
		}
	})
}

func TestRestartWhoseSuccessorFails(t *testing.T) {
	w := &world{behave: func(n int, p *fakeProcess) {
		if n == 2 {
			p.ready = -1
			time.AfterFunc(time.Second, func() { p.end(worker.Exit{Code: 3}) })
		}
	}}
	perform(t, w, nil, func(s *stage) {
		a := s.ask(Request{Verb: Restart, Pool: "web", Slot: new(0)})
		s.after(1500 * time.Millisecond)
		v := a.answer()
		if !errors.Is(v.Err, ErrRestart) || !strings.Contains(v.Err.Error(), "died before it was ready") || len(v.Lines) == 0 {
			t.Errorf("%+v", v)
		}
		if w.process(0).gone() {
			t.Error("the worker that was to be replaced is gone")
		}
		s.after(time.Minute) // the slot goes on trying
		if !w.process(0).gone() || s.sup.Snapshot().Pools[0].Ready != 2 {
			t.Errorf("not replaced: %+v", s.sup.Snapshot())
		}
	})
}

func TestRestartsEndWithWhatEndsThem(t *testing.T) {
	for name, tt := range map[string]struct {
		req  Request
		want error
	}{
		"a stop":          {Request{Verb: Stop}, ErrStopped},
		"a smaller pool":  {Request{Verb: Scale, Workers: 1}, ErrNoSlot},
		"a rollout":       {Request{Verb: Roll}, nil},
		"the same again":  {Request{Verb: Restart, Pool: "web", Slot: new(1)}, nil},
		"another of them": {Request{Verb: Restart, Pool: "web", Slot: new(0)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{behave: func(n int, p *fakeProcess) {
				if n >= 2 {
					p.ready = 3 * time.Second
				}
			}}
			perform(t, w, nil, func(s *stage) {
				a := s.ask(Request{Verb: Restart, Pool: "web", Slot: new(1)})
				s.after(time.Second)
				b := s.ask(tt.req)
				s.after(time.Minute)
				if v := a.answer(); !errors.Is(v.Err, tt.want) || (tt.want == nil) != (v.Err == nil) {
					t.Errorf("%+v", v)
				}
				if v := b.answer(); v.Err != nil {
					t.Errorf("%+v", v)
				}
			})
		})
	}
}
