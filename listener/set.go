package listener

import (
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Set is the listeners of one supervisor, and what they have in common: the inherited sockets that none of them has
// taken, and a bound on the connections that go through us.
type Set struct {
	opt    Options
	rescue *rescuer

	mu        sync.Mutex // of Open, Grow and both Close; taken before the lock of a listener
	closed    bool
	spare     []passed
	listeners []*Listener // those that are open, in the order they were opened
	handed    []*Listener // those that came by Restore, and that nobody has opened yet
}

// Want is a listener that is to be opened for Slots slots, of one pool or of several that share it.
type Want struct {
	Config Config
	Slots  int
}

// NewSet prepares a Set that holds the inherited sockets of FromSystemd until a listener takes them. They belong to the
// Set from now on, or stay the caller's when there is an error, which is an *OpenError about the one that no worker
// could accept from. A filter that a supervisor which died while it was paused has left on them is removed.
func NewSet(inherited []Inherited, opt Options) (*Set, error) {
	if opt.Poller == nil {
		return nil, fmt.Errorf("cannot make set of listeners: %w", errNoPoller)
	}
	spare, err := takeInherited(inherited)
	if err != nil {
		return nil, err
	}
	return &Set{opt: opt, rescue: &rescuer{}, spare: spare}, nil
}

func takeInherited(inherited []Inherited) ([]passed, error) {
	var all []passed
	for _, in := range inherited {
		p, err := examine(in)
		if err != nil {
			return nil, openError(configOf(in), endpoint{}, "take", err)
		}
		all = append(all, p)
	}
	distinguish(all)
	for _, p := range all {
		if err := tidy(p.FD); err != nil {
			return nil, openError(configOf(p.Inherited), endpoint{}, "take", err)
		}
	}
	return all, nil
}

// configOf is the config of an inherited socket that nobody else has described.
func configOf(in Inherited) Config {
	cfg := Config{Name: in.Name, Address: Address{Network: networkSystemd, Name: in.Name}}
	cfg.QueueAware = cfg.DefaultQueueAware()
	return cfg
}

// Spare lists the inherited sockets that none of cfgs takes and no open listener has, as configs that would take them:
// with the Address systemd:NAME, and the name that the service manager gave. Several of one name and address form one; the
// second address of a name is NAME-2, and so on.
func (s *Set) Spare(cfgs []Config) []Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := s.spareLocked()
	for _, cfg := range cfgs {
		_, left = split(left, request{cfg: cfg}.claims)
	}
	var all []Config
	for len(left) > 0 {
		cfg := configOf(left[0].Inherited)
		_, left = split(left, request{cfg: cfg}.claims)
		all = append(all, cfg)
	}
	return all
}

// spareLocked are also the sockets of listeners that nobody has opened yet.
func (s *Set) spareLocked() []passed {
	all := slices.Clone(s.spare)
	for _, l := range s.handed {
		all = append(all, l.passed...)
	}
	if len(s.handed) > 0 { // in the order in which they were passed
		slices.SortStableFunc(all, func(a, b passed) int { return a.FD - b.FD })
	}
	return all
}

// Open opens all wanted listeners, or none, and returns them in the order of wants. Those that are open stay as they
// are, and their traffic is not touched. A Config takes the spare inherited sockets that it names (systemd:NAME) or
// whose address it has; when Open fails they are spare as before.
//
// One that another process handed over (Restore) is taken as it is if address and mode are those of the Config, and
// adjusted and grown to the Want. One that is in the way of a Want is closed first; what waited in it is reset, and
// Options.Report is told.
//
// A sharded listener that the kernel cannot steer, or whose group we may not join, is shared instead, and
// Options.Report is told.
//
// It refuses with EMFILE, before it opens anything, when the process may not have as many descriptors as the sockets
// will take and the workers of as many slots as the largest Want has. An address that an open listener has is refused
// with ErrInUse; the text names the listener. Two wants may not have one name, but a want may have that of a listener
// that is open.
//
// Errors are *OpenError, or ErrClosed.
func (s *Set) Open(wants []Want) ([]*Listener, error) {
	s.mu.Lock()
	dropped, err := s.giveWayLocked(wants)
	var opened []*Listener
	if err == nil {
		opened, err = s.openLocked(wants)
	}
	s.mu.Unlock()
	s.report(dropped...)
	for _, l := range opened {
		s.report(l.news...)
	}
	return opened, err
}

func (s *Set) openLocked(wants []Want) ([]*Listener, error) {
	if s.closed {
		return nil, fmt.Errorf("cannot open listeners: %w", ErrClosed)
	}
	all, left, err := assign(wants, s.spare, s.handed)
	if err != nil {
		return nil, err
	}
	if err := affordOpen(all); err != nil {
		return nil, err
	}
	opened, fresh := make([]*Listener, 0, len(all)), []*Listener(nil)
	for _, r := range all {
		l, err := r.handed, error(nil)
		if l != nil {
			err = l.become(r)
		} else if l, err = s.openOneLocked(r, slices.Concat(s.listeners, s.handed, fresh)); err == nil {
			fresh = append(fresh, l)
		}
		if err != nil {
			return nil, abort(err, fresh...)
		}
		opened = append(opened, l)
	}
	s.spare = left
	s.listeners = append(s.listeners, opened...)
	s.handed = slices.DeleteFunc(s.handed, func(l *Listener) bool { return slices.Contains(opened, l) })
	return opened, nil
}

// openOneLocked opens one listener beside others. When it fails it has closed what it opened.
func (s *Set) openOneLocked(r request, others []*Listener) (*Listener, error) {
	l := newListener(r, s)
	l.mu.Lock()
	op, err := l.openLocked(r, others)
	l.mu.Unlock()
	if err != nil {
		err = openError(r.cfg, l.end, op, nameHolder(err, others, l.addr, l.end))
		return nil, abort(err, l)
	}
	return l, nil
}

// abort closes listeners that never came to be, because of err.
func abort(err error, listeners ...*Listener) error {
	for _, l := range listeners {
		if also := l.close(); also != nil {
			err = errors.Join(err, also)
		}
	}
	return err
}

// Close ends the relays, closes all sockets, those of the service manager too, and removes the files of unix sockets that
// we made. What waits in queues is reset, so the workers should be gone. A second Close returns ErrClosed.
func (s *Set) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("cannot close listeners: %w", ErrClosed)
	}
	s.closed = true
	var all []error
	for _, l := range slices.Concat(s.listeners, s.handed) {
		all = append(all, l.close())
		s.spare = append(s.spare, l.passed...)
	}
	for _, p := range s.spare {
		p.close()
	}
	s.listeners, s.handed, s.spare = nil, nil, nil
	return errors.Join(all...)
}

func (s *Set) report(events ...Event) {
	if s.opt.Report == nil {
		return
	}
	for _, ev := range events {
		s.opt.Report(ev)
	}
}
