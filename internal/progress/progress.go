package progress

import (
	"io"
	"iter"
	"sync"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// Form is how progress is shown.
type Form uint8

// The forms of progress.
const (
	Plain Form = iota // one line per event
	Live              // a block of lines that is redrawn: for terminals only
	JSON              // one object per event
)

// Options say where to and how. Out is needed, and Size for Live.
type Options struct {
	Out    io.Writer
	Form   Form
	Colour bool                       // of Live
	Size   func() (columns, rows int) // of the terminal; asked for each frame, zero means not known
	Pool   string                     // show this one alone, if not empty
}

// Outcome is how the waiting ended. The words are part of the output for programs.
type Outcome string

// The outcomes.
const (
	Done   Outcome = "done"   // what was asked for has been done
	Failed Outcome = "failed" // it has not
	Left   Outcome = "left"   // nobody waits any longer, and it goes on
)

// Verdict is what the waiting ended with.
type Verdict struct {
	Outcome Outcome
	Text    string
	Lines   []string // the last words of the worker that is to blame
}

// renderer is one form. Its methods are called one after another.
type renderer interface {
	update(events []Event, snap supervisor.Snapshot, at time.Duration)
	end(v Verdict, at time.Duration)
}

// Progress shows what happens until End.
type Progress struct {
	pool string
	now  func() time.Time
	live *live // also render, if it is that form

	mu     sync.Mutex
	render renderer
	begun  time.Time // when the first snapshot came
	last   supervisor.Snapshot
	ended  bool
}

// New prepares to show progress. Nothing is written before the second Update.
func New(opt Options) *Progress {
	p := &Progress{pool: opt.Pool, now: time.Now}
	switch opt.Form {
	case Live:
		p.live = newLive(opt)
		p.render = p.live
	case JSON:
		p.render = &objects{opt.Out}
	case Plain:
		p.render = &plain{opt.Out}
	}
	return p
}

// Update shows what is new in a snapshot. The first one is only what later ones are compared with, and time counts from it;
// a terminal shows it.
func (p *Progress) Update(snap supervisor.Snapshot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	snap = only(snap, p.pool)
	var events []Event
	if p.begun.IsZero() {
		p.begun = p.now()
	} else {
		events = Compare(p.last, snap)
	}
	p.last = snap
	p.render.update(events, snap, p.now().Sub(p.begun))
}

// End shows the last frame of a terminal, or the verdict to programs. To people the caller says it, after this. Later calls do
// nothing.
func (p *Progress) End(v Verdict) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	p.ended = true
	at := time.Duration(0)
	if !p.begun.IsZero() {
		at = p.now().Sub(p.begun)
	}
	p.render.end(v, at)
}

// Follow shows snapshots as they come, and on a terminal the time that passes between them. It returns when the stream
// ends, with its error.
func (p *Progress) Follow(news iter.Seq2[supervisor.Snapshot, error]) error {
	if p.live != nil {
		defer p.tick()()
	}
	for snap, err := range news {
		if err != nil {
			return err
		}
		p.Update(snap)
	}
	return nil
}

// tickTime is how often the clocks of a terminal move.
const tickTime = 200 * time.Millisecond

// tick redraws until the function that it returns is called.
func (p *Progress) tick() (stop func()) {
	ticker, quit := time.NewTicker(tickTime), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		for {
			select {
			case <-ticker.C:
				p.redraw()
			case <-quit:
				return
			}
		}
	})
	return func() {
		ticker.Stop()
		close(quit)
		done.Wait()
	}
}

func (p *Progress) redraw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended && !p.begun.IsZero() {
		p.live.draw(p.now().Sub(p.begun))
	}
}

// only is a snapshot of one pool, or as it was.
func only(snap supervisor.Snapshot, pool string) supervisor.Snapshot {
	if pool == "" {
		return snap
	}
	all := snap.Pools
	snap.Pools = nil
	for i := range all {
		if all[i].Name == pool {
			snap.Pools = all[i : i+1]
		}
	}
	return snap
}
