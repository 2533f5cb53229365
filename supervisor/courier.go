package supervisor

import (
	"sync"
	"syscall"
)

// courier brings signals to one worker beside the loop: one after the other, in the order in which they were asked for.
//
// It is for workers with a control group. cgroup.kill waits for the kernel's lock of all control groups: mostly 5 µs, but
// 13 ms were seen while others made and removed groups. Another signal to a group took 10 µs for one process, 35 µs for
// 10 and 4 ms for 1,000 (BenchmarkSignal of internal/cgroup). Which it will be cannot be told beforehand. Without a control
// group a signal is one system call that waits for nobody.
type courier struct {
	mu    sync.Mutex
	queue []func()
	away  bool // somebody is in run, or about to be
}

// take adds an order, and reports whether somebody has to be sent off with run.
func (c *courier) take(order func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, order)
	begins := !c.away
	c.away = true
	return begins
}

// run does what was ordered, until there is nothing more.
func (c *courier) run() {
	for order := c.next(); order != nil; order = c.next() {
		order()
	}
}

func (c *courier) next() func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		c.queue, c.away = nil, false
		return nil
	}
	order := c.queue[0]
	c.queue = c.queue[1:]
	return order
}

// send signals a worker, in one of the ways that Process has. A failure is logged, at once or when it is known.
func (p *pool) send(rec *record, way func(syscall.Signal) error, sig syscall.Signal) {
	if rec.group == nil {
		p.complain(rec, way(sig))
		return
	}
	if rec.courier.take(func() {
		if err := way(sig); err != nil {
			p.sup.mail.post(unsent{pool: p, ref: rec.ref, err: err})
		}
	}) {
		p.sup.couriers.send(rec.courier.run)
	}
}

// unsent hears that a worker was not signalled.
func (p *pool) unsent(m unsent) {
	if rec := p.workers[m.ref]; rec != nil {
		p.complain(rec, m.err)
	}
}
