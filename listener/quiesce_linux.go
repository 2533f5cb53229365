package listener

import (
	"context"
	"fmt"
	"net"
	"slices"
)

// Quiesce brings the relays to rest: no connection is accepted any more, and those that are being relayed stop between two
// bytes, so that Hand can describe them. It waits until all have, or until ctx ends, and returns how many then still have
// something in hand, for a peer that does not read or a worker that does not accept; those would be lost by an exec. What
// is at rest stays so until Rouse.
func (s *Set) Quiesce(ctx context.Context) (busy int) {
	idle := s.rescue.quieten()
	for _, l := range s.all() {
		l.relays.halt()
	}
	select {
	case <-idle:
	case <-ctx.Done():
	}
	return s.rescue.count()
}

// Rouse undoes Quiesce.
func (s *Set) Rouse() {
	parked := s.rescue.rouse()
	for _, l := range s.all() {
		l.relays.resume()
	}
	for _, again := range parked {
		again()
	}
}

// all are the open listeners.
func (s *Set) all() []*Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.listeners, s.handed)
}

// quieten lets no more relays begin; the channel is closed when none is left.
func (r *rescuer) quieten() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.quiet = true
	if r.idle == nil {
		r.idle = make(chan struct{})
	}
	idle := r.idle
	if r.active == 0 {
		close(r.idle)
		r.idle = nil
	}
	return idle
}

func (r *rescuer) rouse() (parked []func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.quiet = false
	parked, r.parked = r.parked, nil
	return parked
}

func (r *rescuer) isQuiet() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.quiet
}

func (r *rescuer) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.active
}

func (r *relays) halt() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for b := range r.bridges {
		b.halt()
	}
}

// hand describes the relays that are at rest.
func (r *relays) hand() ([]HandedRelay, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []HandedRelay
	for _, b := range r.halted {
		client, err := descriptorOfConn(b.client)
		if err != nil {
			return nil, err
		}
		worker, err := descriptorOfConn(b.worker)
		if err != nil {
			return nil, err
		}
		all = append(all, HandedRelay{Client: client, Worker: worker, UpDone: b.up, DownDone: b.down})
	}
	return all, nil
}

func descriptorOfConn(conn *net.TCPConn) (d HandedDescriptor, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return d, fmt.Errorf("cannot hand over relay: %w", err)
	}
	if e := raw.Control(func(fd uintptr) { d, err = descriptorOf(int(fd)) }); e != nil {
		return d, fmt.Errorf("cannot hand over relay: %w", e)
	}
	return d, err
}

// goOn takes over relays of another process.
func (r *relays) goOn(all []HandedRelay) {
	for _, h := range all {
		client, err := connOf(h.Client.FD)
		worker, failed := connOf(h.Worker.FD)
		switch {
		case err == nil && failed == nil:
			r.halted = append(r.halted, &bridge{client: client, worker: worker, up: h.UpDone, down: h.DownDone})
		case err == nil:
			reset(client)
		case failed == nil:
			reset(worker)
		}
	}
	r.resume()
}
