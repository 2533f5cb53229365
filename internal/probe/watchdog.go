package probe

import (
	"sync"
	"time"
)

// Watchdog notices when a worker no longer says WATCHDOG=1, as sd_notify(3) has it: each time it does, it has the
// limit, told by WATCHDOG_USEC, until the next time. It runs on CLOCK_MONOTONIC, so a machine that slept blames nobody.
type Watchdog struct {
	limit  time.Duration
	report func(Missed)

	mu    sync.Mutex
	timer *time.Timer // fires at the earliest deadline that is known; Beat does not touch it
	last  time.Time   // of the last beat, or of the start
	from  time.Time   // what the limit is counted from: last, unless this process slept
	due   time.Time   // when the timer should fire
	beats int
	state watchState
}

// Missed says that a worker let its limit pass.
type Missed struct {
	Limit time.Duration
	Last  time.Time // when it was heard of, or the watch began
	Beats int       // how often it was heard of before
}

type watchState int

const (
	watching watchState = iota
	missed              // and reported; a beat watches again
	stopped
)

// StartWatchdog begins to watch; a worker is first heard of when it is ready. Each miss is reported once, from a
// goroutine of the watchdog, which holds no lock then. The limit is more than 0.
func StartWatchdog(limit time.Duration, report func(Missed)) *Watchdog {
	now := time.Now()
	w := &Watchdog{limit: limit, report: report, last: now, from: now, due: now.Add(limit)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(limit, func() { w.expire(time.Now()) })
	return w
}

// Beat says that the worker was heard of. It costs a lock and a look at the clock, however often a worker beats.
func (w *Watchdog) Beat() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == stopped {
		return
	}
	now := time.Now()
	w.last, w.from = now, now
	w.beats++
	if w.state == missed {
		w.state = watching
		w.wait(now)
	}
}

// Stop ends the watch. A report that has begun may still come to its end.
func (w *Watchdog) Stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state = stopped
	w.timer.Stop()
}

func (w *Watchdog) expire(now time.Time) {
	if m, ok := w.look(now); ok {
		w.report(m)
	}
}

// look decides whether the deadline has passed, and sets the timer for the next one otherwise.
func (w *Watchdog) look(now time.Time) (Missed, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.state != watching:
		return Missed{}, false
	case now.Sub(w.due) > w.limit/4:
		// It was this process that did not run, stopped or starved. What the worker said meanwhile is still to be read.
		w.from = now
		fallthrough
	case now.Before(w.from.Add(w.limit)):
		w.wait(now)
		return Missed{}, false
	}
	w.state = missed
	return Missed{Limit: w.limit, Last: w.last, Beats: w.beats}, true
}

// wait sets the timer for the deadline. The caller holds mu.
func (w *Watchdog) wait(now time.Time) {
	w.due = w.from.Add(w.limit)
	w.timer.Reset(w.due.Sub(now))
}
