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
		return nil, errors.New("cannot make set of listeners: a poller is needed")
	}
	s := &Set{opt: opt, rescue: &rescuer{}}
	for _, in := range inherited {
		p, err := examine(in)
		if err != nil {
			return nil, openError(configOf(in), endpoint{}, "take", err)
		}
		s.spare = append(s.spare, p)
	}
	distinguish(s.spare)
	for _, p := range s.spare {
		if err := tidy(p.FD); err != nil {
			return nil, openError(configOf(p.Inherited), endpoint{}, "take", err)
		}
	}
	return s, nil
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
	left := s.spare
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

// Open opens all wanted listeners, or none, and returns them in the order of wants. Those that are open stay as they
// are, and their traffic is not touched. A Config takes the spare inherited sockets that it names (systemd:NAME) or
// whose address it has; when Open fails they are spare as before.
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
	opened, err := s.openLocked(wants)
	s.mu.Unlock()
	for _, l := range opened {
		s.report(l.news...)
	}
	return opened, err
}

func (s *Set) openLocked(wants []Want) ([]*Listener, error) {
	if s.closed {
		return nil, fmt.Errorf("cannot open listeners: %w", ErrClosed)
	}
	all, left, err := assign(wants, s.spare)
	if err != nil {
		return nil, err
	}
	if err := affordOpen(all); err != nil {
		return nil, err
	}
	opened := make([]*Listener, 0, len(all))
	for _, r := range all {
		l, err := s.openOneLocked(r, slices.Concat(s.listeners, opened))
		if err != nil {
			return nil, abort(err, opened...)
		}
		opened = append(opened, l)
	}
	s.spare = left
	s.listeners = append(s.listeners, opened...)
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
	for _, l := range s.listeners {
		all = append(all, l.close())
		s.spare = append(s.spare, l.passed...)
	}
	for _, p := range s.spare {
		p.close()
	}
	s.listeners, s.spare = nil, nil
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
