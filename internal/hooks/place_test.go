package hooks

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/broodctl/brood/supervisor/events"
)

// hand has another runner go on, for which there is so much time, and returns where.
func (s *scene) hand(patience time.Duration) Place {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	opt := s.runner.opt
	if opt.From = s.runner.Hand(ctx); len(opt.From) != 1 {
		s.t.Fatalf("%d places", len(opt.From))
	}
	s.runner = Start(opt)
	synctest.Wait()
	return opt.From[0]
}

// None is lost and none doubled while the one that is being delivered ends in time.
func TestHandedInTime(t *testing.T) {
	play(t, nil, func(s *scene) {
		s.service.slow = time.Second
		s.dies(1, 2, 3)
		if at := s.hand(time.Minute); at.Last != 2 { // the first event is from before
			t.Errorf("%+v", at)
		}
		s.after(time.Minute)
		if at := s.hand(0); at.Last != 4 {
			t.Errorf("%+v", at)
		}
		s.dies(4)
		s.after(time.Minute)
		s.wants(nil, 1, 2, 3, 4)
	})
}

// One that does not end in time is broken off, and delivered again.
func TestHandedInTheMiddle(t *testing.T) {
	play(t, nil, func(s *scene) {
		s.service.slow = 5 * time.Second
		s.dies(1, 2)
		begun := time.Now()
		if at := s.hand(time.Second); at.Last != 1 || time.Since(begun) != time.Second {
			t.Errorf("%+v after %s", at, time.Since(begun))
		}
		s.after(time.Minute)
		s.wants(nil, 1, 2)
		if s.service.tries != 3 {
			t.Errorf("tried %d times", s.service.tries)
		}
	})
}

// Nobody waits for a pause between two attempts.
func TestHandedBetweenAttempts(t *testing.T) {
	play(t, nil, func(s *scene) {
		s.service.fail = func(try int) error {
			if try == 1 {
				return &RetryError{After: time.Hour, Err: errors.New("busy")}
			}
			return nil
		}
		s.dies(1)
		begun := time.Now()
		if s.hand(time.Minute); time.Since(begun) > 0 {
			t.Errorf("waited %s", time.Since(begun))
		}
		s.wants(nil, 1)
	})
}

// What was dropped is told once, whichever runner delivers next.
func TestHandedWithLosses(t *testing.T) {
	late := "pager lost 2: more events came than could be delivered"
	play(t, nil, func(s *scene) {
		s.service.slow = 9 * time.Second
		s.dies(1)
		s.dies(2, 3, 4, 5, 6, 7) // four of them may wait
		if at := s.hand(0); at != (Place{Hook: "pager", Last: 1}) {
			t.Errorf("%+v", at)
		}
		s.after(time.Minute)
		s.wants([]string{late}, 3, 4, 5, 6, 7)
		if missed := s.service.got[0].Missed; missed != 2 {
			t.Errorf("the hook is told that it missed %d", missed)
		}
		s.dies(8)
		s.dies(9, 10, 11, 12, 13, 14)
		if at := s.hand(time.Minute); at != (Place{Hook: "pager", Last: 11, Missed: 2}) {
			t.Errorf("%+v", at)
		}
		s.after(time.Minute)
		s.wants([]string{late, late}, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14)
		if missed := s.service.got[6].Missed; missed != 2 {
			t.Errorf("the hook is told that it missed %d", missed)
		}
	})
}

// However often they are replaced, runners tell of each event, in order, and of none twice that was delivered.
func TestHandedAgainAndAgain(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.IntRange(0, 3), 1, 30).Draw(rt, "steps")
		play(t, func(h *Hook) { h.Queue = 100 }, func(s *scene) {
			s.service.slow = time.Second
			died := 0
			for _, step := range steps {
				switch step {
				case 0:
					died++
					s.dies(died)
				case 1:
					s.after(700 * time.Millisecond)
				case 2:
					s.hand(0)
				case 3:
					s.hand(time.Minute)
				}
			}
			s.after(time.Hour)
			var want []int
			for pid := 1; pid <= died; pid++ {
				want = append(want, pid)
			}
			s.wants(nil, want...)
		})
	})
}

// A hook that is new begins now, and a place beyond what there is is no reason to tell everything again.
func TestPlaces(t *testing.T) {
	for name, tt := range map[string]struct {
		from []Place
		want []int
	}{
		"a new hook":            {[]Place{{Hook: "other"}}, []int{3}},
		"behind an event":       {[]Place{{Hook: "pager", Last: 1}}, []int{2, 3}},
		"beyond what there is":  {[]Place{{Hook: "pager", Last: 99}}, []int{3}},
		"from the beginning on": {[]Place{{Hook: "pager", Missed: 7}}, []int{1, 2, 3}},
	} {
		synctest.Test(t, func(t *testing.T) {
			feed, service := events.NewFeed(), &service{begun: time.Now()}
			for pid := range 2 {
				feed.Add(events.Event{Kind: events.Death, PID: pid + 1})
			}
			r := Start(Options{Feed: feed, From: tt.from, Hooks: []Hook{{Name: "pager", Deliver: service.deliver, Timeout: time.Second, Queue: 9}}})
			feed.Add(events.Event{Kind: events.Death, PID: 3})
			r.Close(t.Context())
			if got := service.pids(); !slices.Equal(got, tt.want) {
				t.Errorf("%s: told of %v, want %v", name, got, tt.want)
			}
			if missed := service.got[0].Missed; missed != 0 && len(tt.want) != 3 || missed != 7 && len(tt.want) == 3 {
				t.Errorf("%s: missed %d", name, missed)
			}
		})
	}
}
