package supervisor

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// systemd tells the service manager how we are; see sd_notify(3). Sending may block, so a goroutine does it: the loop
// only leaves the words.
type systemd struct {
	send func(string)

	mu     sync.Mutex
	queue  []string
	closed bool
	wake   chan struct{}
	done   chan struct{}

	announced bool   // READY=1 was sent
	reloads   int    // under way
	told      bool   // RELOADING=1 was sent, and READY=1 has not followed
	status    string // what STATUS= was last
}

// lastWords is how long the end waits for the manager to hear it.
const lastWords = time.Second

// margin is what we need beyond the workers' own time: to notice, to reap, to log.
const margin = 10 * time.Second

func newSystemd(send func(string)) *systemd {
	d := &systemd{send: send, wake: make(chan struct{}, 1), done: make(chan struct{})}
	if send == nil {
		close(d.done)
		return d
	}
	go d.run()
	return d
}

func (d *systemd) run() {
	defer close(d.done)
	for range d.wake {
		d.mu.Lock()
		queue, closed := d.queue, d.closed
		d.queue = nil
		d.mu.Unlock()
		for _, state := range queue {
			d.send(state)
		}
		if closed {
			return
		}
	}
}

func (d *systemd) say(format string, args ...any) {
	if d.send == nil {
		return
	}
	d.mu.Lock()
	d.queue = append(d.queue, fmt.Sprintf(format, args...))
	d.mu.Unlock()
	d.poke()
}

func (d *systemd) poke() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func (d *systemd) close() {
	if d.send == nil {
		return
	}
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.poke()
	select {
	case <-d.done:
	case <-time.After(lastWords): // a manager that does not read its socket must not hold us
	}
}

// starting asks for as long as the workers may take to become ready.
func (d *systemd) starting(timeout time.Duration) {
	if timeout > 0 {
		d.extend(timeout)
	}
}

func (d *systemd) extend(by time.Duration) {
	d.say("EXTEND_TIMEOUT_USEC=%d", (by + margin).Microseconds())
}

// patience asks for time again and again until the function that it returns is called: nobody knows how long a migration
// takes.
func (d *systemd) patience() (end func()) {
	if d.send == nil {
		return func() {}
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(margin)
		defer tick.Stop()
		for {
			d.extend(margin)
			select {
			case <-tick.C:
			case <-quit:
				return
			}
		}
	}()
	return func() {
		close(quit)
		<-done
	}
}

func (d *systemd) alive() { d.say("WATCHDOG=1") }

func (d *systemd) stopping(grace time.Duration) {
	d.endReload() // while it waits for the end of a reload the manager takes no notice of a stop
	d.say("STOPPING=1\nEXTEND_TIMEOUT_USEC=%d", (grace + margin).Microseconds())
}

// reloading must carry the time in the same datagram: systemd pairs it with the READY=1 that follows. What begins while
// something else is under way is part of it.
func (d *systemd) reloading() {
	d.reloads++
	if d.announced && !d.told {
		d.told = true
		d.say("RELOADING=1\nMONOTONIC_USEC=%d", monotonicUsec())
	}
}

// reloaded ends what reloading began. Whether it went well is in STATUS=, as long as it matters.
func (d *systemd) reloaded() {
	if d.reloads--; d.reloads == 0 {
		d.endReload()
	}
}

func (d *systemd) endReload() {
	if d.told {
		d.told = false
		d.say("READY=1")
	}
}

// resume goes on where another program was that had said RELOADING=1, if it had said READY=1 before.
func (d *systemd) resume(announced bool) {
	d.reloads++
	d.announced, d.told = announced, announced
}

// follow keeps READY=1 and STATUS= in step with what is published.
func (d *systemd) follow(s *Snapshot) {
	if d.send == nil {
		return
	}
	status := short(s.Summary())
	ready := !d.announced && s.State == StateReady
	switch {
	case ready:
		d.announced = true
		d.say("READY=1\nSTATUS=%s", status)
	case status != d.status:
		d.say("STATUS=%s", status)
	}
	d.status = status
}

// longestStatus keeps datagrams far below the 4096 bytes that systemd reads: a longer one would be ignored as a whole, with
// the READY=1 in it.
const longestStatus = 1024

// short cuts a status at a character.
func short(status string) string {
	if len(status) <= longestStatus {
		return status
	}
	return strings.ToValidUTF8(status[:longestStatus], "") + " ..."
}

// stopping tells systemd once that the end has begun.
func (s *Supervisor) stopping() {
	if s.systemd.send == nil || s.told {
		return
	}
	s.told = true
	var grace time.Duration
	for _, p := range s.pools {
		grace = max(grace, s.stopTime(p, len(s.pools)))
	}
	s.systemd.stopping(grace)
}

// stopTime is how long a pool may take to stop, with those that have to stop before it. depth bounds the way, should it go
// round in a circle.
func (s *Supervisor) stopTime(p *pool, depth int) time.Duration {
	var before time.Duration
	for _, q := range s.pools {
		if depth > 0 && q != p && slices.Contains(q.cfg().After, p.name) {
			before = max(before, s.stopTime(q, depth-1))
		}
	}
	return before + p.st.Spec.StopDelay + p.partTime() + p.st.Spec.Grace
}

func (s *Supervisor) startTimeout() time.Duration {
	var longest time.Duration
	for _, p := range s.pools {
		longest = max(longest, p.cfg().RequiresTimeout+p.st.Spec.ReadyTimeout)
	}
	return longest
}

// beatWatchdog makes the loop tell systemd that it turns, at half the interval that systemd waits for.
func (s *Supervisor) beatWatchdog() {
	every := s.cfg.World.WatchdogInterval / 2
	if every <= 0 {
		return
	}
	if s.resumed != nil {
		s.systemd.alive() // nobody knows how long ago the other program has
	}
	s.goOn(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.mail.post(watchdogDue{})
			case <-s.quit:
				return
			}
		}
	})
}
