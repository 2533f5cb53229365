package listener

import "fmt"

// Slots is how many slots the listener has room for.
func (l *Listener) Slots() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.slots
}

// Grow makes room for slots slots and never takes any away. New shards get no connections before Steer says so. After an
// error the listener has what it had before, and Grow may be repeated. Like Open it refuses beforehand what would take
// too many descriptors. Errors are *OpenError, or ErrClosed.
func (l *Listener) Grow(slots int) error {
	l.set.mu.Lock() // because another listener may be about to take the ports
	defer l.set.mu.Unlock()
	return l.grow(slots)
}

// grow is Grow for a caller that holds the lock of the Set.
func (l *Listener) grow(slots int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return fmt.Errorf("cannot grow listener %s: %w", l.cfg.Name, ErrClosed)
	}
	if slots <= l.slots {
		return nil
	}
	if err := l.growLocked(slots); err != nil {
		return openError(l.cfg, l.end, "grow", err)
	}
	return nil
}

func (l *Listener) growLocked(slots int) error {
	if err := l.cfg.checkSlots(l.mode, l.Datagram(), slots); err != nil {
		return err
	}
	if err := l.affordGrowLocked(slots); err != nil {
		return err
	}
	switch l.mode {
	case PerSlot:
		next := l.end
		next.port += l.slots
		if err := reserved(l.set.listeners, next, slots-l.slots); err != nil {
			return err
		}
		if err := checkFree(l.end, l.slots, slots); err != nil {
			return err
		}
	case Sharded:
		before := len(l.group)
		if err := l.table.fill(slots, l.openShardLocked); err != nil {
			l.undoLocked(before)
			return err
		}
	case Auto, Shared: // one socket serves any number of slots
	}
	l.slots = slots
	l.rewatchLocked()
	return l.reattachLocked() // for the lanes of the new shards
}

// maxSlots keeps group indexes and lanes well inside 16 bits.
const maxSlots = 2048

func (c *Config) checkSlots(mode Mode, datagram bool, slots int) error {
	if slots < 1 {
		return errNoSlots
	}
	if slots > maxSlots {
		return fmt.Errorf("%w: there may be %d", errTooMany, maxSlots)
	}
	if mode == Sharded && (datagram || c.Steer == ClientIP) && slots > buckets {
		return fmt.Errorf("%w: a listener that keeps clients with their slot serves %d", errTooMany, buckets)
	}
	return nil
}
