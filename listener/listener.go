package listener

import (
	"fmt"
	"sync"
)

// Listener is one address, and the sockets behind it.
type Listener struct {
	set    *Set
	relays *relays
	// These do not change once it is open.
	passed []passed // the inherited sockets that it has taken
	news   []Event  // what Open has to report
	tried  Mode     // what Open tried to make
	before uint64   // Resteered of the processes before
	mode   Mode     // what it became
	addr   Address
	end    endpoint // of TCP and UDP

	mu      sync.Mutex
	cfg     Config
	closed  bool
	paused  bool
	slots   int
	single  *shard      // of a shared listener
	file    *socketFile // of a unix socket that we made
	table   table
	group   group
	down    []*shard // shut down by somebody, in that order, and not revived yet
	members []Member // as last steered, never empty once open
	known   []bool   // which slots have been members ever; they own buckets
	owners  []int    // of the buckets
	length  int      // of the program in instructions
	lookout *lookout // of a listener that is queue-aware, or was
}

func newListener(r request, s *Set) *Listener {
	mode := r.mode()
	return &Listener{
		set: s, relays: newRelays(s.rescue), passed: r.passed, tried: mode, mode: mode, addr: r.cfg.Address, cfg: r.cfg,
	}
}

// Member is a place that a worker can have: a slot's side.
type Member struct {
	Slot int
	Side Side
}

// Name is the name that workers find the listener by.
func (l *Listener) Name() string { return l.Config().Name }

// Config is what Open, or the last Adjust, was given.
func (l *Listener) Config() Config {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cfg
}

// Mode is the effective mode: never Auto, and Shared where the kernel could not do better.
func (l *Listener) Mode() Mode { return l.mode }

// Address is where the listener listens: with the port that the kernel chose, and for a socket of systemd with the
// address it was bound to.
func (l *Listener) Address() Address { return l.addr }

// Datagram reports whether it is a UDP listener.
func (l *Listener) Datagram() bool { return l.addr.Network == networkUDP }

// FD is the raw descriptor to hand to a worker of that place: always the same one for a shared listener, and -1 for a
// per-slot one, whose worker binds Port by itself. It stays ours: the caller must neither close it nor wrap it in an
// os.File, and must not change its flags, which all holders share.
func (l *Listener) FD(slot int, side Side) int {
	if s := l.shard(slot, side); s != nil {
		return s.fd
	}
	return -1
}

// Inode identifies the socket of that place in /proc/PID/fd and fdinfo; 0 for a per-slot listener.
func (l *Listener) Inode(slot int, side Side) uint64 {
	if s := l.shard(slot, side); s != nil {
		return s.inode
	}
	return 0
}

// Port is the port of that slot, 0 for a unix socket.
func (l *Listener) Port(slot int) int {
	if l.mode == PerSlot {
		return l.addr.Port + slot
	}
	return l.addr.Port
}

// shard is the socket of a place; nil if there is none.
func (l *Listener) shard(slot int, side Side) *shard {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shardLocked(slot, side)
}

func (l *Listener) shardLocked(slot int, side Side) *shard {
	if l.closed {
		return nil
	}
	if l.mode == Sharded {
		return l.table.at(Member{slot, side})
	}
	return l.single
}

// Steer sends new connections to the shards of members alone, from the moment it
// returns; those in queues stay there. With no members the last program stays, so
// that connections wait in queues that survive. It does nothing for listeners
// that are not sharded.
//
// With QueueAware members in whose queue connections wait are left out from then
// on, until they have accepted them; all get connections while that is so for all.
func (l *Listener) Steer(members []Member) error {
	if l.mode != Sharded || len(members) == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	for _, m := range members {
		if l.table.at(m) == nil {
			return fmt.Errorf("cannot steer listener %s: it has no slot %d side %s", l.cfg.Name, m.Slot, m.Side)
		}
	}
	before := l.members
	l.members = append([]Member(nil), members...)
	l.knowLocked()
	if err := l.reattachLocked(); err != nil {
		l.members = before
		return fmt.Errorf("cannot steer listener %s: %w", l.cfg.Name, err)
	}
	l.rewatchLocked()
	l.followLocked()
	return nil
}

// reattachLocked makes the program anew from what the listener knows. Members whose shard is out of the group are left
// out; when nobody else is there the program stays. A shared listener has one only if it could not become sharded.
func (l *Listener) reattachLocked() error {
	if len(l.group) == 0 {
		return nil
	}
	if l.mode == Shared {
		if l.single.index == outside {
			return nil
		}
		return attachConstant(l.single.fd, l.single.index)
	}
	p := plan{
		ipv4: l.end.ipv4(), ipv6: l.end.ipv6(), datagram: l.Datagram(), policy: l.cfg.Steer,
		owners: l.owners, shards: len(l.group),
	}
	for _, m := range l.members {
		if s := l.table.at(m); s.index != outside {
			p.ready = append(p.ready, target{slot: m.Slot, index: s.index, busy: s.busy, cpus: s.cpus})
		}
	}
	if len(p.ready) == 0 {
		return nil
	}
	code, err := program(p)
	if err != nil {
		return err
	}
	l.length = len(code)
	for _, s := range l.group {
		// One that was shut down would get a group of its own from the kernel, and could not come back: listen(2) fails with
		// EADDRINUSE then. When none listens the revival of the first attaches.
		if l.Datagram() || accepting(s.fd) {
			return attach(s.fd, code)
		}
	}
	return nil
}

// knowLocked gives buckets to members that never had any.
func (l *Listener) knowLocked() {
	if l.mode != Sharded || !l.Datagram() && l.cfg.Steer != ClientIP {
		return
	}
	news := l.owners == nil
	for _, m := range l.members {
		news = l.knowSlotLocked(m.Slot) || news
	}
	if news {
		l.owners = naturalOwners(l.known)
	}
}

// knowSlotLocked tells whether the slot has not been known.
func (l *Listener) knowSlotLocked(slot int) (news bool) {
	for len(l.known) <= slot {
		l.known = append(l.known, false)
	}
	news, l.known[slot] = !l.known[slot], true
	return news
}
