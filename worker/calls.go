package worker

import "sync"

// calls runs functions in the order they were added, one at a time, each on
// whichever goroutine gets there first and without any lock. It keeps done,
// OnExit and OnGone of a process in order although its start, its end and the
// end of its group are noticed by different goroutines.
type calls struct {
	mu      sync.Mutex
	queue   []func()
	running bool
}

// add queues f. It never calls out, so it may be used under any lock.
func (c *calls) add(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, f)
}

// run calls what is queued, unless another goroutine is at it: that one then
// takes the newcomers along.
func (c *calls) run() {
	c.mu.Lock()
	if c.running {
		c.mu.Unlock()
		return
	}
	c.running = true
	for len(c.queue) > 0 {
		next := c.queue
		c.queue = nil
		c.mu.Unlock()
		for _, f := range next {
			f()
		}
		c.mu.Lock()
	}
	c.running = false
	c.mu.Unlock()
}
