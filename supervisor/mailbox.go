package supervisor

import "sync"

// mailbox queues messages for the loop. Sending never blocks, so that nobody who must not wait (the poller, the
// spawner's thread, a timer) ever does; what is in it is bounded by the number of workers and of requests at hand.
type mailbox struct {
	mu     sync.Mutex
	queue  []message
	closed bool
	wake   chan struct{}
}

func newMailbox() *mailbox { return &mailbox{wake: make(chan struct{}, 1)} }

// post appends a message, and reports whether anybody will read it.
func (m *mailbox) post(msg message) bool {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return false
	}
	m.queue = append(m.queue, msg)
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default: // it is awake already
	}
	return true
}

// take waits until there are messages and returns them all.
func (m *mailbox) take() []message {
	for range m.wake {
		m.mu.Lock()
		all := m.queue
		m.queue = nil
		m.mu.Unlock()
		if len(all) > 0 {
			return all
		}
	}
	return nil
}

// rest returns what is there without waiting.
func (m *mailbox) rest() []message {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.queue
	m.queue = nil
	return all
}

// close refuses further messages and returns those that nobody read.
func (m *mailbox) close() []message {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	rest := m.queue
	m.queue = nil
	return rest
}
