package listener

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const (
	// perSlot is what else a slot takes: the notify socket, the pipes of its output, the pidfd, the two files that tell
	// about its control group, each twice during a rollout.
	perSlot = 12
	// headroom is for what comes and goes: clients of the control socket, relays, reads of /proc.
	headroom = 32
)

// scarceError says that the descriptors would not suffice. It is told before anything is opened, because a pool that took
// the last of them could not start workers any more.
type scarceError struct {
	needed, used, limit uint64
}

func (e *scarceError) Error() string {
	return fmt.Sprintf("%d more descriptors are needed, and %d of %d are taken: %v", e.needed, e.used, e.limit, unix.EMFILE)
}

func (e *scarceError) Unwrap() error { return unix.EMFILE }

// afford returns a scarceError when sockets new sockets and slots new slots are more than the limit of this process
// allows.
func afford(sockets, slots int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("cannot read limit of descriptors: %w", err)
	}
	needed := uint64(sockets + perSlot*slots + headroom)
	used, err := descriptors()
	switch {
	case errors.Is(err, unix.EMFILE): // there was not even one for the look
		used = limit.Cur
	case err != nil:
		return nil //nolint:nilerr // without /proc nobody knows, and the kernel will tell
	}
	if used+needed > limit.Cur {
		return &scarceError{needed: needed, used: used, limit: limit.Cur}
	}
	return nil
}

// descriptors counts those of this process.
func descriptors() (uint64, error) {
	all, err := os.ReadDir("/proc/self/fd")
	return uint64(max(len(all)-1, 0)), err // without the one that it is read through
}

// affordOpen checks what Open will need. What is wrong with a number of slots itself is told by the listener.
func affordOpen(all []request) error {
	if len(all) == 0 {
		return nil
	}
	sockets, slots, blame := 0, 0, all[0].cfg
	for _, r := range all {
		if r.cfg.checkSlots(r.mode(), r.datagram(), r.slots) != nil {
			return nil //nolint:nilerr // told by the listener when it opens
		}
		slots = max(slots, r.slots)
		if r.handed != nil {
			continue
		}
		switch r.mode() {
		case Sharded:
			if sockets == 0 {
				blame = r.cfg
			}
			sockets += max(sides*r.slots-len(r.passed), 0)
		case Auto, Shared:
			sockets++
		case PerSlot:
		}
	}
	if err := afford(sockets, slots); err != nil {
		return openError(blame, endpoint{}, "open", err)
	}
	return nil
}

// affordGrowLocked checks what Grow will need.
func (l *Listener) affordGrowLocked(slots int) error {
	sockets, more := 0, slots-l.slots
	if l.mode == Sharded {
		sockets = max(sides*more-len(l.table.spare), 0)
	}
	return afford(sockets, more)
}
