package supervisor

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
)

// fakeSockets opens fake listeners.
type fakeSockets struct{ world *world }

func webListener() listener.Config { return tcp("http", 80) }

// tcp is a sharded listener.
func tcp(name string, port int) listener.Config {
	return listener.Config{
		Name: name, Mode: listener.Sharded,
		Address: listener.Address{Network: "tcp", Host: "127.0.0.1", Port: port},
	}
}

// brokenPort cannot be listened on, and no listener can have brokenBacklog.
const brokenPort, brokenBacklog = 13, 13

func (s fakeSockets) Open(wants []listener.Want) ([]Listener, error) {
	for i := range wants {
		if cfg := wants[i].Config; cfg.Address.Port == brokenPort {
			return nil, &listener.OpenError{Config: cfg, Op: "open", Err: listener.ErrInUse}
		}
	}
	var all []Listener
	for i := range wants {
		cfg := wants[i].Config
		s.world.mu.Lock()
		l := &fakeListener{world: s.world, base: 1000 * (len(s.world.listeners) + 1), cfg: cfg}
		s.world.listeners = append(s.world.listeners, l)
		s.world.mu.Unlock()
		if cfg.Name != "http" {
			s.world.write("open %s", cfg.Name)
		}
		all = append(all, l)
	}
	return all, nil
}

// fakeListener writes down how it is steered.
type fakeListener struct {
	world *world
	base  int // of its descriptors

	mu      sync.Mutex
	cfg     listener.Config
	members []listener.Member
	pins    map[listener.Member][]int
	paused  bool
	closed  bool
	misuse  []string // what was done to it that makes no sense
}

func (l *fakeListener) Name() string              { return l.config().Name }
func (l *fakeListener) Mode() listener.Mode       { return l.config().Mode }
func (l *fakeListener) Address() listener.Address { return l.config().Address }
func (l *fakeListener) Grow(int) error            { return l.use("grow") }
func (l *fakeListener) Datagram() bool            { return l.Address().Network == "udp" }
func (l *fakeListener) Port(int) int              { return l.config().Address.Port }

// FD is none where the workers bind by themselves.
func (l *fakeListener) FD(slot int, side listener.Side) int {
	if l.Mode() == listener.PerSlot {
		return -1
	}
	return l.base + 2*slot + int(side)
}

func (l *fakeListener) Inode(slot int, s listener.Side) uint64 { return uint64(l.FD(slot, s)) }
func (l *fakeListener) Outlives(int, listener.Side) bool       { return l.world.outlives }
func (l *fakeListener) Adopt(int, listener.Side) error         { return l.use("adopt") }
func (l *fakeListener) Dial(_ context.Context, slot int, side listener.Side) (net.Conn, error) {
	return l.world.dial(l, slot, side)
}

func (l *fakeListener) Restore(slot int, side listener.Side) (listener.Repair, error) {
	return l.world.mend(l, slot, side), l.use("restore")
}

func (l *fakeListener) Queue(slot int, side listener.Side) (listener.Queue, error) {
	if l.Mode() == listener.PerSlot {
		return listener.Queue{}, listener.ErrNoQueue
	}
	m, _ := l.world.moodAt(l, slot, side)
	l.world.mu.Lock()
	defer l.world.mu.Unlock()
	if slot == 0 {
		m.queue += l.world.queued
	}
	return listener.Queue{Length: m.queue, Backlog: 511}, nil
}

func (l *fakeListener) Queues() (listener.Queue, error) {
	q, err := l.Queue(0, listener.A)
	q.Drops = 7
	return q, err
}

func (l *fakeListener) config() listener.Config {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cfg
}

// use takes note of what is done to a listener that is closed.
func (l *fakeListener) use(verb string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		return nil
	}
	l.misuse = append(l.misuse, verb+" after the close of "+l.cfg.Name)
	return listener.ErrClosed
}

func (l *fakeListener) Adjust(cfg listener.Config) error {
	if cfg.Backlog == brokenBacklog {
		return listener.ErrInUse
	}
	l.mu.Lock()
	same := cfg == l.cfg
	l.cfg = cfg
	l.mu.Unlock()
	if !same {
		l.world.write("adjust %s", cfg.Name)
	}
	return l.use("adjust")
}

func (l *fakeListener) Pause() error  { return l.pause(true) }
func (l *fakeListener) Resume() error { return l.pause(false) }

func (l *fakeListener) pause(paused bool) error {
	verb := "resume"
	if paused {
		verb = "pause"
	}
	l.world.write("%s %s", verb, l.Name())
	l.mu.Lock()
	l.paused = paused
	l.mu.Unlock()
	return l.use(verb)
}

func (l *fakeListener) Close() error {
	l.world.write("close %s", l.Name())
	err := l.use("close")
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	return err
}

// at is how the diary names a listener that is not the usual one.
func (l *fakeListener) at() string {
	if name := l.Name(); name != "http" {
		return " " + name
	}
	return ""
}

func (l *fakeListener) Abandon(slot int, side listener.Side) error {
	l.world.write("abandon%s %d%s", l.at(), slot, machine.Side(side))
	return l.use("abandon")
}

func (l *fakeListener) Steer(members []listener.Member) error {
	if l.Mode() != listener.Sharded {
		return l.use("steer") // there is nothing to steer
	}
	l.mu.Lock()
	l.members = slices.Clone(members)
	l.mu.Unlock()
	l.world.write("steer%s%s", l.at(), places(members))
	return l.use("steer")
}

func (l *fakeListener) Pin(slot int, side listener.Side, cpus []int) error {
	l.mu.Lock()
	if l.pins == nil {
		l.pins = map[listener.Member][]int{}
	}
	l.pins[listener.Member{Slot: slot, Side: side}] = cpus
	l.mu.Unlock()
	return l.use("pin")
}

func places(members []listener.Member) string {
	var b strings.Builder
	for _, m := range members {
		fmt.Fprintf(&b, " %d%s", m.Slot, machine.Side(m.Side))
	}
	return b.String()
}

// serving says for each open listener where its connections go, and whether they do.
func (w *world) serving() []string {
	w.mu.Lock()
	all := slices.Clone(w.listeners)
	w.mu.Unlock()
	var found []string
	for _, l := range all {
		l.mu.Lock()
		if !l.closed {
			text := l.cfg.Name + " " + l.cfg.Address.String() + places(l.members)
			if l.paused {
				text += " paused"
			}
			found = append(found, text)
		}
		l.mu.Unlock()
	}
	slices.Sort(found)
	return found
}

// misused is what was done to listeners that makes no sense.
func (w *world) misused() []string {
	w.mu.Lock()
	all := slices.Clone(w.listeners)
	w.mu.Unlock()
	var found []string
	for _, l := range all {
		l.mu.Lock()
		found = append(found, l.misuse...)
		l.mu.Unlock()
	}
	return found
}

// listenerOf is the listener that a descriptor belongs to.
func (w *world) listenerOf(fd int) *fakeListener {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.listeners[fd/1000-1]
}
