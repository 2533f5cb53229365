package listener

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// rewatchLocked tells the poller what to look for on each socket: a hang-up on those that workers serve, connections on
// those that nobody serves. A shard that the program still points to is left alone even when abandoned, because what we
// would relay would come back to it.
func (l *Listener) rewatchLocked() {
	if l.addr.Network != networkTCP {
		return
	}
	steered := make(map[*shard]bool, len(l.members))
	for _, m := range l.members {
		steered[l.table.at(m)] = true
	}
	for _, s := range l.allLocked() {
		want := watchHangup
		if s.abandoned && (l.mode != Sharded || !steered[s]) {
			want = watchQueue
		}
		l.watchLocked(s, want)
	}
}

// watchLocked changes what the poller looks for. An error means that the poller is closed or out of memory; the shard
// then has no help, and no harm.
func (l *Listener) watchLocked(s *shard, want watching) {
	if s.watch == want {
		return
	}
	if s.watch != watchNothing {
		_ = l.set.opt.Poller.Remove(s.fd)
	}
	s.watch = want
	switch want {
	case watchHangup:
		_ = l.set.opt.Poller.AddHangup(s.fd, func() { l.hungUp(s) })
	case watchQueue:
		_ = l.set.opt.Poller.Add(s.fd, func() { l.waiting(s) })
	case watchNothing:
	}
}

// hungUp is called by the poller when somebody has called shutdown(2).
func (l *Listener) hungUp(s *shard) { l.set.report(l.revive(s)...) }

func (l *Listener) revive(s *shard) []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wakeLocked(s)
}

func (l *Listener) wakeLocked(s *shard) []Event {
	if l.closed || s.watch == watchNothing || accepting(s.fd) {
		return nil
	}
	l.noteDownLocked(s)
	// Several may be down, and each has made a hole which the last of the group filled: only their order tells the indexes.
	// The poller calls in that order, and will call for the others too.
	for _, other := range l.allLocked() {
		if other.watch != watchNothing && !accepting(other.fd) && !slices.Contains(l.down, other) {
			return nil
		}
	}
	revived, err := l.reviveLocked(s)
	events := l.revivedLocked(revived)
	if err != nil {
		l.watchLocked(s, watchNothing) // or the poller would call again and again
		events = append(events, l.aboutLocked(s, Event{Kind: EventReviveFailed, Err: err}))
	}
	return events
}

func (l *Listener) noteDownLocked(s *shard) {
	if !slices.Contains(l.down, s) {
		l.down = append(l.down, s)
	}
}

// revivedLocked is an event for each, because each was shut down by a worker of its own.
func (l *Listener) revivedLocked(all []*shard) (events []Event) {
	for _, s := range all {
		events = append(events, l.aboutLocked(s, Event{Kind: EventRevived, Count: 1}))
	}
	return events
}

// reviveLocked makes s and all others that are down listen again, and points the program to their new indexes. It
// returns those that were revived.
func (l *Listener) reviveLocked(s *shard) (revived []*shard, err error) {
	l.noteDownLocked(s)
	return l.reviveAllLocked()
}

func (l *Listener) reviveAllLocked() (revived []*shard, err error) {
	for _, other := range l.allLocked() {
		if !accepting(other.fd) {
			l.noteDownLocked(other)
		}
	}
	down, grouped := l.down, len(l.group) > 0
	l.down = nil
	for _, d := range down {
		if d.index != outside {
			l.group = l.group.remove(d)
		}
	}
	for _, d := range down {
		if failed := unix.Listen(d.fd, d.backlog); failed != nil {
			err = fmt.Errorf("cannot listen again: %w", failed)
			continue
		}
		revived = append(revived, d)
		if grouped {
			l.group = l.group.add(d)
		}
	}
	if failed := l.reattachLocked(); err == nil {
		err = failed
	}
	return revived, err
}

func (l *Listener) aboutLocked(s *shard, ev Event) Event {
	ev.Listener, ev.Slot = l.cfg.Name, -1
	if l.mode == Sharded && l.table.at(s.place) == s {
		ev.Slot, ev.Side = s.place.Slot, s.place.Side
	}
	return ev
}
