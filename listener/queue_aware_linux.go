package listener

import (
	"slices"
	"time"
)

// Resteered counts how often the queues have changed the steering of a queue-aware listener, since it was opened by the first process.
func (l *Listener) Resteered() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.resteeredLocked()
}

func (l *Listener) resteeredLocked() uint64 {
	if l.lookout == nil {
		return l.before
	}
	return l.before + l.lookout.changes
}

// attendLocked begins to watch the queues, or ends it, as the config says.
func (l *Listener) attendLocked() error {
	if l.lookout == nil && l.awareLocked() {
		var err error
		if l.lookout, err = newLookout(l.look); err != nil {
			return err
		}
	}
	l.followLocked()
	return nil
}

func (l *Listener) awareLocked() bool {
	return l.cfg.QueueAware && l.mode == Sharded && !l.Datagram()
}

// followLocked has the lookout watch the members. One that is not needed any more sleeps until Close.
func (l *Listener) followLocked() {
	if l.lookout == nil {
		return
	}
	var members []*shard
	if l.awareLocked() {
		for _, m := range l.members {
			members = append(members, l.table.at(m))
		}
	}
	l.lookout.follow(members)
}

// look brings the steering up to date with the queues of those that have been noticed, and of those that were busy. It
// runs on the goroutine of the lookout.
func (l *Listener) look(noticed []int32) outlook {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.lookout
	if l.closed {
		return outlook{glimpse: glimpse, glance: forEver}
	}
	before := o.divided()
	changed := o.sort(noticed)
	next := l.outlookLocked(changed)
	if !changed || !before && !o.divided() {
		return next
	}
	o.changes++
	if l.reattachLocked() != nil {
		// Too many are scattered among too many for a program, or memory is short. All of them are what a program can
		// always hold: Steer made it.
		o.forget()
		_ = l.reattachLocked()
		next.glimpse = longestGlance
	}
	return next
}

// outlookLocked looks again soon after a change, and ever later where nothing moves and nobody connects.
func (l *Listener) outlookLocked(changed bool) outlook {
	o := l.lookout
	next := outlook{glimpse: glimpse + time.Duration(l.length)*perInstruction, glance: forEver}
	switch {
	case changed:
		o.calm = next.glimpse
	default:
		o.calm = min(2*o.calm, longestGlance)
	}
	if len(o.busy) > 0 {
		next.glance = o.calm
	}
	return next
}

// divided tells whether some members are busy and others are not, so that it matters who is.
func (o *lookout) divided() bool { return len(o.busy) > 0 && len(o.busy) < len(o.watched) }

// sort finds out anew who is busy, and tells whether that is news.
func (o *lookout) sort(noticed []int32) (changed bool) {
	for _, s := range o.busy {
		s.busy = waits(s)
		changed = changed || !s.busy
	}
	o.tidy()
	for _, fd := range noticed {
		if s := o.watched[fd]; s != nil && !s.busy && waits(s) {
			s.busy, changed = true, true
			o.busy = append(o.busy, s)
		}
	}
	return changed
}

// tidy drops those that are not busy any more.
func (o *lookout) tidy() { o.busy = slices.DeleteFunc(o.busy, func(s *shard) bool { return !s.busy }) }

// forget calls nobody busy until more connections come.
func (o *lookout) forget() {
	for _, s := range o.busy {
		s.busy = false
	}
	o.busy = nil
}

// waits tells whether connections wait in the queue of a shard. One that was shut down has none.
func waits(s *shard) bool {
	q, err := queueOf(s.fd)
	return err == nil && q.Length > 0
}
