package listener

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

var (
	errLost      = errors.New("not all of its sockets were stored")
	errFileGone  = errors.New("its file is not there any more")
	errOtherName = errors.New("systemd has another name for its socket")
)

// Reclaim makes a Set of what a process has left that ended with all its workers, whether or not it meant to: of a
// description by Hand that may be older than the end, of descriptors that were kept for it, in any order, and of the sockets
// of FromSystemd. Listeners are as Restore has them, with these differences:
//
//   - Each slot begins anew, on side A. That is the shard of it in which connections wait.
//   - What waits elsewhere, and in slots that get no worker any more, is relayed from the first Steer on.
//   - Nothing is paused.
//
// A listener that cannot be had again, because a socket or the file of one is missing, is dropped: its sockets are closed,
// Options.Report is told, and it can be opened anew. Descriptors that the description does not know are closed.
//
// An error is about the inherited sockets, as of NewSet; then what was kept is as it was.
func Reclaim(h Handed, kept []int, inherited []Inherited, opt Options) (*Set, error) {
	if opt.Poller == nil {
		return nil, fmt.Errorf("cannot make set of listeners: %w", errNoPoller)
	}
	spare, err := takeInherited(inherited)
	if err != nil {
		return nil, err
	}
	c := newTrove(kept, spare)
	var events []Event
	h.Spare = nil
	var left []HandedListener
	for _, l := range h.Listeners {
		switch err := c.find(&l); {
		case l.Mode == PerSlot:
		case err != nil:
			events = append(events, Event{Kind: EventDropped, Listener: l.Config.Name, Slot: -1, Count: c.drop(&l), Err: err})
		default:
			left = append(left, l) // as it was found
		}
	}
	h.Listeners = left
	s, err := restore(h, opt)
	if err != nil {
		// Each has been looked at, so that it is all of them: memory is short, or descriptors.
		for i := range h.Listeners {
			l := &h.Listeners[i]
			events = append(events, Event{Kind: EventDropped, Listener: l.Config.Name, Slot: -1, Count: c.drop(l), Err: err})
		}
		s = &Set{opt: opt, rescue: &rescuer{}}
	}
	c.closeRest(s)
	for _, l := range s.handed {
		l.beginAnew()
	}
	s.report(events...)
	return s, nil
}

// trove is what there is to find listeners in.
type trove struct {
	kept    map[HandedDescriptor]int // without their numbers
	spare   []passed
	byInode map[HandedDescriptor]*passed
}

func newTrove(kept []int, spare []passed) *trove {
	c := &trove{kept: map[HandedDescriptor]int{}, spare: spare, byInode: map[HandedDescriptor]*passed{}}
	for _, fd := range kept {
		d, err := descriptorOf(fd)
		d.FD = 0
		if _, twice := c.kept[d]; twice || err != nil {
			_ = unix.Close(fd)
			continue
		}
		c.kept[d] = fd
	}
	for i := range spare {
		if d, err := descriptorOf(spare[i].FD); err == nil {
			d.FD = 0
			c.byInode[d] = &spare[i]
		}
	}
	return c
}

// find gives a listener its descriptors in this process, and everything else that it needs to begin anew.
func (c *trove) find(l *HandedListener) error {
	l.Relays = nil
	lost := error(nil)
	for _, s := range l.sockets() {
		if err := c.findSocket(l, s); err != nil {
			lost = err
		}
	}
	if l.File != nil && !c.findKept(&l.File.Lock) {
		lost = errLost
	}
	if lost != nil {
		return lost
	}
	l.renew()
	if err := (&Handed{Listeners: []HandedListener{*l}}).check(); err != nil {
		return err
	}
	if err := l.vouch(); err != nil {
		return err
	}
	return l.reappear()
}

func (c *trove) findSocket(l *HandedListener, s *HandedSocket) error {
	if s.Passed == nil {
		if !c.findKept(&s.HandedDescriptor) {
			return errLost
		}
		return nil
	}
	d := s.HandedDescriptor
	d.FD = 0
	p := c.byInode[d]
	if p == nil {
		s.FD = outside
		return errLost
	}
	s.FD, s.Passed.Name, s.Passed.Given = p.FD, p.Name, p.given
	if !(request{cfg: l.Config}).claims(*p) {
		return errOtherName
	}
	return nil
}

func (c *trove) findKept(d *HandedDescriptor) bool {
	key := *d
	key.FD = 0
	fd, ok := c.kept[key]
	d.FD = outside
	if ok {
		d.FD = fd
	}
	return ok
}

// drop counts what waits in sockets of a listener, and closes those of them that are ours.
func (c *trove) drop(l *HandedListener) (waiting int) {
	for _, s := range l.sockets() {
		if s.FD < 0 || s.Passed != nil {
			continue
		}
		if q, err := queueOf(s.FD); err == nil {
			waiting += q.Length
		}
	}
	return waiting // closeRest closes them, because no listener has them
}

// closeRest closes what was kept for a listener that is not there, and leaves the inherited sockets that no listener has.
func (c *trove) closeRest(s *Set) {
	used := map[int]bool{}
	for _, l := range s.handed {
		for _, one := range l.allLocked() { // nobody else knows it yet
			used[one.fd] = true
		}
		if l.file != nil {
			used[l.file.lock.fd] = true
		}
	}
	for _, fd := range c.kept {
		if !used[fd] {
			_ = unix.Shutdown(fd, unix.SHUT_RDWR) // the service manager has a copy
			_ = unix.Close(fd)
		}
	}
	for _, p := range c.spare {
		if !used[p.FD] {
			s.spare = append(s.spare, p)
		}
	}
}
