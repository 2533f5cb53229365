package scale

import (
	"math"
	"time"
)

// Policy is what autoscaling is to achieve, and between which bounds.
type Policy struct {
	Min, Max int // workers
	// Queue is how many connections may wait per worker before there are more; 0 does not count.
	Queue float64
	// CPU is how busy the workers may be on average before there are more, in thousandths of a CPU each; 0 does not count.
	CPU int
	// UpAfter and DownAfter are how long there must have been too few, or too many.
	UpAfter, DownAfter time.Duration
}

// Sample is what was seen of a pool at one moment. Its load is that of the workers in service, or of all of them if none is,
// because then all get connections. What a broken worker has no other one can do.
type Sample struct {
	At      time.Duration // since any beginning; never less than in the sample before
	Workers int           // wanted
	Ready   int           // of these, in service
	Queued  int           // connections that wait
	CPU     int           // thousandths of a CPU that was used since the sample before
	Held    bool          // workers are replaced or added, so that neither the numbers nor a change of them mean much
}

// Serving is among how many workers the load is shared.
func (m Sample) Serving() int {
	if m.Ready == 0 {
		return m.Workers
	}
	return m.Ready
}

// Reason is why there are to be more workers, or fewer.
type Reason uint8

// The reasons.
const (
	Stay    Reason = iota
	Bounds         // there were more than Max or fewer than Min
	Queue          // too many connections waited
	CPU            // the workers were too busy
	Undone         // one of these, soon after a removal, which is taken back
	Idle           // fewer workers are enough
	reasons        // how many there are
)

// String is the word for logs and status.
func (r Reason) String() string {
	return [reasons]string{"stay", "bounds", "queue", "cpu", "removal_undone", "idle"}[r]
}

// State is what Step remembers from one sample to the next. The zero value is the beginning.
type State struct {
	at      time.Duration // of the last sample
	workers int           // wanted, as far as Step knows
	over    time.Duration // how long there have been too few
	under   time.Duration // how long there have been too many, less what spoke against it; DownAfter at most
	need    int           // the most that were needed meanwhile
	last    removal
	floor   floor
}

// removal is the last one, as long as it may turn out to be wrong.
type removal struct {
	at   time.Duration
	from int // workers before it; 0 if there is none
}

// floor is a number of workers that was found to be too small.
type floor struct {
	workers int           // 0 if there is none
	until   time.Duration // it is remembered
	tries   int           // removals in a row that were wrong
}

// Share of the targets that a smaller pool may come to, so that it does not grow again at once.
const Share = 0.7

const (
	// against is how much longer than a moment must there be too many workers to outweigh one at which there are enough.
	against = 4
	// longest is what a sample stands for at most. After a longer gap nobody knows what was meanwhile.
	longest = 2 * time.Second
	// gentle is the part of the workers that one removal may take, if it is more than one.
	gentle = 4
	// doubt is how long a removal may turn out to be wrong, in DownAfter: where there is hardly room, queues grow slowly.
	doubt = 4
	// mostTries bounds how long a floor is remembered: 2^mostTries times DownAfter.
	mostTries = 4
)

// Step says how many workers there are to be after a sample, and why: as many as there are if the reason is Stay. It
// expects that to be done; another number in the next sample is taken as somebody's wish, and as a new beginning.
func (p Policy) Step(s State, m Sample) (State, int, Reason) {
	gap := min(m.At-s.at, longest)
	if s.workers != m.Workers {
		s, gap = State{workers: m.Workers}, 0
	}
	s.at = m.At
	want, because := min(max(m.Workers, p.Min), p.Max), Bounds
	if want == m.Workers {
		s, want, because = p.weigh(s, m, gap)
	}
	if want == m.Workers {
		return s, want, Stay
	}
	s.workers = want
	return s.restart(), want, because
}

// weigh looks at the load. Workers that do not serve are not replaced by others without need, but they may be what too
// much work has made of them: the others are counted on, and more of them come if these are too few.
func (p Policy) weigh(s State, m Sample, gap time.Duration) (State, int, Reason) {
	if m.Held {
		return s.restart(), m.Workers, Stay
	}
	s = s.forget(p)
	if need, because := p.need(m, 1); need > m.Serving() {
		return p.grow(s, m, gap, m.Workers+need-m.Serving(), because)
	}
	s.over = 0
	if m.Ready < m.Workers {
		return s.restart(), m.Workers, Stay
	}
	return p.shrink(s, m, gap)
}

// grow adds workers when there have been too few for long enough: as many as the load needs, but never more than there
// are, because the length of a queue does not tell how fast it would be served.
func (p Policy) grow(s State, m Sample, gap time.Duration, enough int, because Reason) (State, int, Reason) {
	s.over += gap
	s.under, s.need = 0, 0
	if s.over < p.UpAfter || m.Workers >= p.Max {
		return s, m.Workers, Stay
	}
	want := min(enough, 2*m.Workers, p.Max)
	if s.last.from > 0 {
		want, because = min(s.last.from, p.Max), Undone
		s.floor.tries = min(s.floor.tries+1, mostTries)
		s.floor.workers, s.floor.until = m.Workers, m.At+p.DownAfter<<s.floor.tries
		s.last = removal{}
	}
	return s, want, because
}

// shrink removes workers when there have been too many for long enough. A moment at which all were needed does not
// begin the wait anew, but prolongs it.
func (p Policy) shrink(s State, m Sample, gap time.Duration) (State, int, Reason) {
	need, _ := p.need(m, Share)
	if need >= m.Workers {
		s.under = max(0, s.under-against*gap)
		return s, m.Workers, Stay
	}
	if s.under == 0 {
		s.need = 0
	}
	s.under = min(s.under+gap, p.DownAfter)
	s.need = max(s.need, need)
	want := max(s.need, m.Workers-max(1, m.Workers/gentle), p.Min, s.floor.workers+1)
	if s.under < p.DownAfter || want >= m.Workers {
		return s, m.Workers, Stay
	}
	s.last = removal{at: m.At, from: m.Workers}
	return s, want, Idle
}

// Excess is what the workers that serve have most too much of: Queue or CPU, or Stay if they are enough.
func (p Policy) Excess(m Sample) Reason {
	if need, because := p.need(m, 1); need > m.Serving() {
		return because
	}
	return Stay
}

// need is how many workers must serve so that no target is exceeded by more than its part, and what asks for most.
func (p Policy) need(m Sample, part float64) (int, Reason) {
	need, because := 0, Stay
	if p.Queue > 0 {
		need, because = atLeast(float64(m.Queued)/(p.Queue*part)), Queue
	}
	if p.CPU > 0 {
		if n := atLeast(float64(m.CPU) / (float64(p.CPU) * part)); n > need {
			need, because = n, CPU
		}
	}
	return need, because
}

// atLeast rounds up. More workers than any pool can have are all the same.
func atLeast(n float64) int { return int(math.Ceil(min(n, math.MaxInt32))) }

// restart begins all waits anew.
func (s State) restart() State {
	s.over, s.under, s.need = 0, 0, 0
	return s
}

// forget drops a floor whose time is over, and takes a removal for right that nothing has spoken against for long enough.
func (s State) forget(p Policy) State {
	if s.at >= s.floor.until {
		s.floor.workers = 0
	}
	if s.last.from > 0 && s.at-s.last.at > doubt*p.DownAfter+p.UpAfter {
		s.last, s.floor.tries = removal{}, 0
	}
	return s
}
