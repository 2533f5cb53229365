package supervisor

import "sync"

// crew are goroutines that can be waited for while others join them, which sync.WaitGroup forbids.
type crew struct {
	mu   sync.Mutex
	away int
	all  chan struct{} // closed when the last one is back; nil if nobody waits
}

// send has f done beside the loop.
func (c *crew) send(f func()) {
	c.join()
	go func() {
		defer c.leave()
		f()
	}()
}

func (c *crew) join() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away++
}

func (c *crew) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away--; c.away == 0 && c.all != nil {
		close(c.all)
		c.all = nil
	}
}

// back is closed as soon as nobody is away, be it for a moment.
func (c *crew) back() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away == 0 {
		now := make(chan struct{})
		close(now)
		return now
	}
	if c.all == nil {
		c.all = make(chan struct{})
	}
	return c.all
}
