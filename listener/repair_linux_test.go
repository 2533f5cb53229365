package listener

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRestore(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(fd int) error
		want  Repair
	}{
		{"nothing", func(int) error { return nil }, 0},
		{"blocking", func(fd int) error { return unix.SetNonblock(fd, false) }, Nonblock},
		{"smaller backlog", func(fd int) error { return unix.Listen(fd, 5) }, Backlog},
		{"larger backlog", func(fd int) error { return unix.Listen(fd, 2000) }, Backlog},
		{"both", func(fd int) error { return errors.Join(unix.Listen(fd, 5), unix.SetNonblock(fd, false)) }, Nonblock | Backlog},
	}
	for _, flag := range []string{"127.0.0.1:0,backlog=77", "127.0.0.1:0,backlog=77,mode=shared"} {
		for _, tt := range tests {
			t.Run(flag+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				l := open(t, 2, flag).first()
				must(t, tt.spoil(l.FD(1, B)))
				got, err := l.Restore(1, B)
				if err != nil || got != tt.want {
					t.Errorf("Restore: %s, %v, want %s", got, err, tt.want)
				}
				if q, err := l.Queue(1, B); err != nil || q.Backlog != 77 {
					t.Errorf("queue is %+v, %v, want a backlog of 77", q, err)
				}
				if cleared, err := setNonblock(l.FD(1, B)); err != nil || cleared {
					t.Errorf("O_NONBLOCK is still off (%v)", err)
				}
			})
		}
	}
}

func TestShutdownIsRevived(t *testing.T) {
	t.Parallel()
	const slots = 4
	for _, victims := range [][]Member{
		{{0, A}},
		{{3, B}},
		{{1, A}, {2, B}},
		{{2, B}, {1, A}, {0, B}},
		{{3, B}, {3, A}, {0, A}},
		{{0, A}, {0, B}, {1, A}, {1, B}, {2, A}, {2, B}, {3, A}, {3, B}},
	} {
		t.Run(fmt.Sprint(victims), func(t *testing.T) {
			t.Parallel()
			h := open(t, slots, "127.0.0.1:0")
			l := h.first()
			for round := range 3 {
				for _, v := range victims {
					must(t, unix.Shutdown(l.FD(v.Slot, v.Side), unix.SHUT_RDWR))
				}
				left := map[Member]bool{}
				for _, v := range victims {
					left[v] = true
				}
				for range victims {
					ev := h.wait(EventRevived)
					if m := (Member{ev.Slot, ev.Side}); !left[m] || ev.Count != 1 {
						t.Errorf("event %s, and left are %v", ev, left)
					}
					delete(left, Member{ev.Slot, ev.Side})
				}
				var all []*worker
				for slot := range slots {
					for side := range Side(sides) {
						all = append(all, serve(t, l, slot, side))
					}
				}
				exact(t, l, slots)
				for _, w := range all {
					w.stop()
				}
				if t.Failed() {
					t.Fatalf("in round %d", round)
				}
			}
		})
	}
}

func TestShutdownOfSharedIsRevived(t *testing.T) {
	t.Parallel()
	h := open(t, 2, "127.0.0.1:0,mode=shared")
	l := h.first()
	must(t, unix.Shutdown(l.FD(0, A), unix.SHUT_RD))
	if ev := h.wait(EventRevived); ev.Slot != -1 || ev.Count != 1 {
		t.Errorf("got event %s", ev)
	}
	serve(t, l, 1, A)
	if who, err := ask(dial(l.testTarget(), "")); err != nil || who != "1A" {
		t.Errorf("got %q, %v, want 1A", who, err)
	}
}

// TestRestoreRevives stops the poller's part by hand, so that Restore is the one that revives.
func TestRestoreRevives(t *testing.T) {
	t.Parallel()
	h := open(t, 3, "127.0.0.1:0")
	l := h.first()
	l.mu.Lock()
	for _, s := range l.allLocked() {
		l.watchLocked(s, watchNothing)
	}
	l.mu.Unlock()
	must(t, unix.Shutdown(l.FD(1, A), unix.SHUT_RDWR))
	must(t, unix.Shutdown(l.FD(2, B), unix.SHUT_RDWR))
	must(t, unix.SetNonblock(l.FD(1, A), false))
	if q, err := l.Queue(1, A); err != nil || q != (Queue{}) {
		t.Errorf("queue of a dead socket is %+v, %v", q, err)
	}
	got, err := l.Restore(1, A)
	if err != nil || got != Revived|Nonblock {
		t.Errorf("Restore: %s, %v, want revived nonblock", got, err)
	}
	if ev := h.wait(EventRevived); ev.Slot != 2 || ev.Side != B || len(h.events) != 0 {
		t.Errorf("event %s, and %d more; want one of the other place", ev, len(h.events))
	}
	if got, err := l.Restore(2, B); err != nil || got != 0 {
		t.Errorf("Restore of what is revived: %s, %v", got, err)
	}
	for slot := range 3 {
		serve(t, l, slot, A)
		serve(t, l, slot, B)
	}
	exact(t, l, 3)
}

// A change of steering may come between a shutdown and its revival, which is then still possible.
func TestSteeringWhileOneIsDown(t *testing.T) {
	t.Parallel()
	for _, victims := range [][]Member{{{0, A}}, {{1, B}}, {{0, A}, {0, B}, {1, A}}, {{0, A}, {0, B}, {1, A}, {1, B}}} {
		l := open(t, 2, "127.0.0.1:0").first()
		l.mu.Lock()
		for _, s := range l.allLocked() {
			l.watchLocked(s, watchNothing)
		}
		l.mu.Unlock()
		for _, v := range victims {
			must(t, unix.Shutdown(l.FD(v.Slot, v.Side), unix.SHUT_RDWR))
		}
		must(t, l.Steer([]Member{{0, B}, {1, A}}))
		// Steering watches the sockets again, so the poller may have been faster.
		if got, err := l.Restore(victims[0].Slot, victims[0].Side); err != nil || got&^Revived != 0 {
			t.Errorf("%v: Restore: %s, %v, want revived or nothing", victims, got, err)
		}
		for _, v := range victims {
			if !accepting(l.FD(v.Slot, v.Side)) {
				t.Errorf("%v: %v does not listen", victims, v)
			}
		}
		for slot := range 2 {
			serve(t, l, slot, A)
			serve(t, l, slot, B)
		}
		for range 20 {
			if who, err := ask(dial(l.testTarget(), "")); err != nil || who != "0B" && who != "1A" {
				t.Errorf("%v: got %q, %v, want 0B or 1A", victims, who, err)
			}
		}
	}
}

func TestQueueCountsWaiting(t *testing.T) {
	t.Parallel()
	l := open(t, 2, "127.0.0.1:0,backlog=9").first()
	for range 5 {
		conn, err := l.Dial(deadline(t), 1, B)
		must(t, err)
		defer conn.Close()
	}
	if q, err := l.Queue(1, B); err != nil || q != (Queue{Length: 5, Backlog: 9}) {
		t.Errorf("queue is %+v, %v, want 5 of 9", q, err)
	}
	must(t, l.Pause())
	must(t, l.Steer([]Member{{0, A}}))
	if q, err := l.Queue(1, B); err != nil || q != (Queue{Length: 5, Backlog: 9, Paused: true}) {
		t.Errorf("queue is %+v, %v, want that of a paused listener", q, err)
	}
	must(t, l.Abandon(0, B))
	if q, err := l.Queue(0, B); err != nil || q != (Queue{Backlog: 9, Paused: true, Abandoned: true}) {
		t.Errorf("queue is %+v, %v, want one that nobody serves", q, err)
	}
	must(t, l.Adopt(0, B))
	must(t, l.Resume())
	if q, err := l.Queue(0, B); err != nil || q != (Queue{Backlog: 9}) {
		t.Errorf("queue is %+v, %v, want an empty one", q, err)
	}
	u := open(t, 1, "unix:"+t.TempDir()+"/s").first()
	if _, err := u.Queue(0, A); !errors.Is(err, ErrNoQueue) {
		t.Errorf("queue of a unix socket: %v", err)
	}
	if r, err := u.Restore(0, A); err != nil || r != 0 {
		t.Errorf("Restore of a unix socket: %s, %v", r, err)
	}
	must(t, unix.SetNonblock(u.FD(0, A), false))
	if r, err := u.Restore(0, A); err != nil || r != Nonblock {
		t.Errorf("Restore of a unix socket: %s, %v, want nonblock", r, err)
	}
}

func TestClosedSet(t *testing.T) {
	t.Parallel()
	events := make(chan Event, 1)
	set, listeners, err := openSet(configs(t, "127.0.0.1:0"), nil, 2, options(t, events))
	must(t, err)
	l := listeners[0]
	must(t, set.Close())
	for name, err := range map[string]error{
		"Close": set.Close(), "Grow": l.Grow(5), "Steer": l.Steer([]Member{{0, A}}), "Abandon": l.Abandon(0, A), "Adopt": l.Adopt(0, A),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
	if l.FD(0, A) != -1 || l.Inode(0, A) != 0 {
		t.Error("a closed listener still has descriptors")
	}
	if _, err := l.Dial(deadline(t), 0, A); !errors.Is(err, ErrNoLane) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Dial after Close: %v", err)
	}
}
