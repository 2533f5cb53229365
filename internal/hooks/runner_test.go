package hooks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/supervisor/events"
)

// service is somebody who is told, and may not answer well.
type service struct {
	mu    sync.Mutex
	got   []Message
	tries int
	begun time.Time
	at    []time.Duration // of the tries
	fail  func(try int) error
	slow  time.Duration
}

func (s *service) deliver(ctx context.Context, m Message) error {
	s.mu.Lock()
	s.tries++
	s.at = append(s.at, time.Since(s.begun))
	fail, try, slow := s.fail, s.tries, s.slow
	s.mu.Unlock()
	select {
	case <-time.After(slow):
	case <-ctx.Done():
		return ctx.Err()
	}
	if fail != nil {
		if err := fail(try); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, m)
	return nil
}

func (s *service) pids() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []int
	for _, m := range s.got {
		all = append(all, m.PID)
	}
	return all
}

// scene is a runner of one hook in fake time.
type scene struct {
	t       *testing.T
	feed    *events.Feed
	service *service
	runner  *Runner
	mu      sync.Mutex
	reports []string
}

func play(t *testing.T, change func(*Hook), story func(*scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &scene{t: t, feed: events.NewFeed(), service: &service{begun: time.Now()}}
		h := Hook{Name: "pager", Deliver: s.service.deliver, Timeout: 10 * time.Second, Attempts: 3, Queue: 4}
		if change != nil {
			change(&h)
		}
		s.feed.Add(events.Event{Kind: events.State}) // from before, which is nobody's business
		s.runner = Start(Options{Feed: s.feed, Hooks: []Hook{h}, Name: "web", Host: "box", Start: "1700000000123", Report: func(hook string, dropped int, err error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.reports = append(s.reports, fmt.Sprintf("%s lost %d: %v", hook, dropped, err))
		}})
		synctest.Wait()
		story(s)
		if s.runner.ctx.Err() == nil {
			s.close(0)
		}
	})
}

func (s *scene) close(patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s.runner.Close(ctx)
}

// dies adds the deaths of these processes.
func (s *scene) dies(pids ...int) {
	for _, pid := range pids {
		s.feed.Add(events.Event{Kind: events.Death, Pool: "web", PID: pid, Cause: "oom"})
	}
	synctest.Wait()
}

func (s *scene) after(d time.Duration) {
	<-time.After(d) // fake time
	synctest.Wait()
}

func (s *scene) wants(reports []string, pids ...int) {
	s.t.Helper()
	if got := s.service.pids(); !slices.Equal(got, pids) {
		s.t.Errorf("told of %v, want %v", got, pids)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.reports, reports) {
		s.t.Errorf("reported %q, want %q", s.reports, reports)
	}
}

func TestToldInOrder(t *testing.T) {
	play(t, nil, func(s *scene) {
		s.service.slow = time.Second
		s.dies(1, 2, 3)
		s.after(3 * time.Second)
		s.wants(nil, 1, 2, 3)
		if m := s.service.got[0]; m.Name != "web" || m.Host != "box" || m.Key != "1700000000123-2" || m.ID != 2 || m.Kind != events.Death {
			t.Errorf("the message is %+v", m)
		}
	})
}

func TestTriedAgain(t *testing.T) {
	play(t, nil, func(s *scene) {
		s.service.fail = func(try int) error {
			if try < 3 {
				return errors.New("busy")
			}
			return nil
		}
		s.dies(1)
		s.after(10 * time.Second)
		s.wants(nil, 1)
		if first, second := s.service.at[1], s.service.at[2]-s.service.at[1]; first < time.Second/2 || first > time.Second || second < time.Second || second > 2*time.Second {
			t.Errorf("tried after %v", s.service.at)
		}
	})
}

func TestGivenUp(t *testing.T) {
	play(t, nil, func(s *scene) {
		s.service.fail = func(try int) error {
			if try <= 3 {
				return errors.New("busy")
			}
			return nil
		}
		s.dies(1, 2)
		s.after(time.Minute)
		s.wants([]string{"pager lost 1: tried 3 times: busy"}, 2)
		if missed := s.service.got[0].Missed; missed != 1 {
			t.Errorf("the hook is told that it missed %d", missed)
		}
	})
}

func TestRefusedIsNotTriedAgain(t *testing.T) {
	play(t, nil, func(s *scene) {
		s.service.fail = func(int) error { return fmt.Errorf("%w: no such channel", ErrRefused) }
		s.dies(1)
		s.after(time.Minute)
		s.wants([]string{"pager lost 1: refused: no such channel"})
		if s.service.tries != 1 {
			t.Errorf("tried %d times", s.service.tries)
		}
	})
}

func TestServiceSaysWhen(t *testing.T) {
	play(t, nil, func(s *scene) {
		s.service.fail = func(try int) error {
			if try == 1 {
				return &RetryError{After: 20 * time.Second, Err: errors.New("too many")}
			}
			return nil
		}
		s.dies(1)
		s.after(time.Minute)
		s.wants(nil, 1)
		if s.service.at[1] < 20*time.Second || s.service.at[1] > 21*time.Second {
			t.Errorf("came back after %v", s.service.at[1])
		}
	})
}

func TestOldestAreDropped(t *testing.T) {
	play(t, nil, func(s *scene) {
		s.service.slow = 9 * time.Second
		s.dies(1)
		s.dies(2, 3, 4, 5, 6, 7) // four of them may wait
		s.after(time.Minute)
		s.wants([]string{"pager lost 2: more events came than could be delivered"}, 1, 4, 5, 6, 7)
		if missed := s.service.got[1].Missed; missed != 2 {
			t.Errorf("the hook is told that it missed %d", missed)
		}
		if missed := s.service.got[2].Missed; missed != 0 {
			t.Errorf("and once more %d", missed)
		}
	})
}

func TestEndDeliversWhatIsLeft(t *testing.T) {
	play(t, nil, func(s *scene) {
		s.service.slow = time.Second
		s.feed.Add(events.Event{Kind: events.State, PID: 9}) // maybe not read yet
		s.close(time.Minute)
		s.wants(nil, 9)
	})
}

func TestEndDoesNotWaitForEver(t *testing.T) {
	play(t, func(h *Hook) { h.Timeout = time.Hour }, func(s *scene) {
		s.service.slow = time.Hour
		s.dies(1, 2, 3)
		begun := time.Now()
		s.close(2 * time.Second)
		if took := time.Since(begun); took != 2*time.Second {
			t.Errorf("the end took %s", took)
		}
		s.wants([]string{"pager lost 1: the supervisor ended before they could be delivered", "pager lost 2: the supervisor ended before they could be delivered"})
	})
}

func TestFilter(t *testing.T) {
	for name, tt := range map[string]struct {
		hook Hook
		want []int
	}{
		"everything":             {Hook{}, []int{1, 2, 3, 4}},
		"deaths":                 {Hook{Kinds: []events.Kind{events.Death}}, []int{1, 2}},
		"of one pool":            {Hook{Pools: []string{"api"}}, []int{2, 4}},
		"for want of memory":     {Hook{Causes: []string{"oom"}}, []int{1}},
		"failed":                 {Hook{States: []string{"failed", "degraded"}}, []int{3, 4}},
		"failed rollouts of api": {Hook{Kinds: []events.Kind{events.Rollout}, Pools: []string{"api"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []int
			for i, e := range []events.Event{
				{Kind: events.Death, Pool: "web", Cause: "oom"},
				{Kind: events.Death, Pool: "api", Cause: "died"},
				{Kind: events.Rollout, Pool: "web", State: "failed"},
				{Kind: events.Pool, Pool: "api", State: "degraded"},
			} {
				if tt.hook.matches(e) {
					got = append(got, i+1)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
