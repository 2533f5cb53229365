package supervisor

import (
	"slices"
	"syscall"
	"testing"
	"time"
)

// Whatever it takes to signal one worker, others do not wait for it; and a kill that is asked for meanwhile comes behind.
func TestSignalsOfAGroupKeepTheirOrderBesideTheLoop(t *testing.T) {
	w := &world{behave: func(n int, p *fakeProcess) {
		if n == 0 {
			p.slow, p.stubborn = 40*time.Second, true // longer than the grace of 30 seconds
		}
	}}
	perform(t, w, limited(&fakeGroups{}), func(s *stage) {
		s.after(time.Second)
		s.signals <- syscall.SIGTERM
		s.after(2 * time.Second)
		if got := s.world.lines(); !slices.Contains(got, "TERM 101") || slices.Contains(got, "TERM 100") {
			t.Errorf("diary: %q", got)
		}
		s.after(2 * time.Minute)
		got := s.world.lines()
		if at := slices.Index(got, "TERM 100"); at < 0 || !slices.Equal(got[at:], []string{"TERM 100", "group KILL 100", "end 100"}) {
			t.Errorf("diary: %q", got)
		}
	})
}

// What was asked for last is done, and what was not possible is said, before the supervisor ends.
func TestForcedExitKillsGroupsBeforeItEnds(t *testing.T) {
	w := &world{behave: func(n int, p *fakeProcess) {
		p.stubborn = true
		if n == 0 {
			p.slow = 100 * time.Millisecond
		}
		if n == 1 {
			p.immune = syscall.EPERM
		}
	}}
	perform(t, w, limited(&fakeGroups{}), func(s *stage) {
		s.after(time.Second)
		for range forcedAt {
			s.signals <- syscall.SIGTERM
		}
		s.after(time.Second)
		if got := s.world.lines(); !slices.Contains(got, "end 100") {
			t.Errorf("diary: %q", got)
		}
		if said := s.logged("cannot signal worker"); len(said) != 1 || said[0]["pid"] != 101.0 {
			t.Errorf("said: %v", said)
		}
		s.code <- <-s.code
	})
}
