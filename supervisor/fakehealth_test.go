package supervisor

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"slices"

	"github.com/broodctl/brood/listener"
)

// mood is how a fake process does, as those see it who look at it from outside.
type mood struct {
	status  int      // of its answers over HTTP; 0 is 200, negative is no answer
	queue   int      // connections that wait for it
	stuck   error    // why its connections cannot be seen
	held    []uint64 // its connections
	accepts bool     // it takes one out of its queue whenever somebody looks, and another one comes
	stopped bool
	memory  uint64
	spoiled listener.Repair // what it has done to its socket
}

// set changes the mood of a process.
func (p *fakeProcess) set(change func(*mood)) {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	change(&p.mood)
}

// isSick reports whether the process of a pid is one that does not pass its probes.
func (w *world) isSick(pid string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.procs {
		if fmt.Sprint(p.pid) == pid {
			return p.mood.status != 0
		}
	}
	return false
}

// heal makes all processes healthy.
func (w *world) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.procs {
		p.mood = mood{}
	}
}

// at is the process that has the socket of a place; nil if there is none. The caller holds mu.
func (w *world) at(l *fakeListener, slot int, side listener.Side) *fakeProcess {
	fd := l.base + 2*slot + int(side)
	for _, p := range slices.Backward(w.procs) {
		if !p.dead && p.err == nil && slices.Contains(p.cmd.Files, fd) {
			return p
		}
	}
	return nil
}

// moodAt is the mood of that process.
func (w *world) moodAt(l *fakeListener, slot int, side listener.Side) (mood, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.at(l, slot, side); p != nil {
		return p.mood, true
	}
	return mood{}, false
}

// dial connects to the process of a place, if the world has lanes.
func (w *world) dial(l *fakeListener, slot int, side listener.Side) (net.Conn, error) {
	m, ok := w.moodAt(l, slot, side)
	if !w.lanes || !ok {
		return nil, listener.ErrNoLane
	}
	ours, its := net.Pipe()
	go func() {
		defer its.Close()
		if _, err := http.ReadRequest(bufio.NewReader(its)); err != nil {
			return
		}
		if m.status < 0 {
			_, _ = its.Read(make([]byte, 1)) // until we hang up
			return
		}
		_, _ = fmt.Fprintf(its, "HTTP/1.1 %d Word\r\nContent-Length: 0\r\n\r\n", max(m.status, http.StatusOK))
	}()
	return ours, nil
}

// mend puts right what the process of a place has spoiled, and returns what that was.
func (w *world) mend(l *fakeListener, slot int, side listener.Side) listener.Repair {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.at(l, slot, side)
	if p == nil {
		return 0
	}
	defer func() { p.mood.spoiled = 0 }()
	return p.mood.spoiled
}

func (w *world) isStopped(pid int) (bool, error) {
	return w.process(pid - firstPID).look().stopped, nil
}

func (w *world) connections(pid, _ int) ([]uint64, error) {
	p := w.process(pid - firstPID)
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.mood.accepts && len(p.mood.held) > 0 {
		p.mood.held = []uint64{p.mood.held[0] + 1}
	}
	return p.mood.held, p.mood.stuck
}

func (w *world) memory(pid int) (uint64, error) { return w.process(pid - firstPID).look().memory, nil }

func (p *fakeProcess) look() mood {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return p.mood
}
