package listener

import "errors"

// Adjust makes cfg the config of an open listener and applies what differs: the name, the steering, the backlog,
// and mode and owner of the file of a unix socket that we made. Connections are neither lost nor kept waiting. Address
// and mode must be those of the listener, or come to the same. An empty Owner or Group means the one that the file was
// made with, and Backlog 0 what Open would have chosen; a unix socket of systemd's keeps the backlog and the file that
// it has.
//
// After an error everything is as before, as far as the kernel allows; what could not be put back is part of the error.
// Errors are *OpenError, or ErrClosed.
func (l *Listener) Adjust(cfg Config) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return l.refusalLocked("adjust")
	}
	err := l.adjustableLocked(cfg)
	if err == nil {
		before := l.cfg
		if err = l.applyLocked(before, cfg); err != nil {
			err = errors.Join(err, l.applyLocked(cfg, before))
		}
	}
	if err != nil {
		return openError(cfg, l.end, "adjust", err)
	}
	return nil
}

func (l *Listener) adjustableLocked(cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	// What Open tried counts as well as what came of it: a listener that fell back stays what the user asked for.
	asked := request{cfg: cfg, passed: l.passed}.mode()
	if cfg.Address != l.cfg.Address || asked != l.mode && asked != l.tried {
		return errFixed
	}
	return cfg.checkSlots(l.mode, l.Datagram(), l.slots)
}

// applyLocked makes the difference between two configs. After an error the way back puts right what was done.
func (l *Listener) applyLocked(from, to Config) error {
	l.cfg = to
	if l.file != nil && (from.Perm != to.Perm || from.Owner != to.Owner || from.Group != to.Group) {
		if err := l.file.dress(to); err != nil {
			return err
		}
	}
	if from.Backlog != to.Backlog {
		for _, s := range l.allLocked() {
			if err := l.relistenLocked(s); err != nil {
				return err
			}
		}
	}
	if from.Steer == to.Steer && from.QueueAware == to.QueueAware {
		return nil
	}
	if err := l.attendLocked(); err != nil {
		return err
	}
	l.knowLocked()
	return l.reattachLocked()
}

// backlogLocked is the backlog that a socket should have; 0 is one that nobody knows.
func (l *Listener) backlogLocked(s *shard) int {
	switch {
	case s.from != nil && (l.cfg.Backlog == 0 || l.addr.Network == networkUnix):
		return s.from.backlog
	case l.cfg.Backlog == 0:
		return defaultBacklog
	}
	return l.cfg.Backlog
}

// relistenLocked gives an open stream socket its backlog; see listen(2). It neither moves the socket in its group nor
// loses what waits. One that was shut down gets it when it is revived, in its order.
func (l *Listener) relistenLocked(s *shard) error {
	backlog := l.backlogLocked(s)
	switch {
	case l.Datagram() || backlog == 0:
		return nil
	case accepting(s.fd):
		return s.listenOn(backlog)
	}
	s.backlog = backlog
	return nil
}
