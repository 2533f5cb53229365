package progress

import (
	"maps"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// live is the form for terminals: the latest snapshot, and what it has become of.
type live struct {
	screen screen
	size   func() (columns, rows int)

	snap    supervisor.Snapshot
	changed map[seat]time.Duration // when something happened in a slot
	touched map[string]bool        // pools in which something happened
	rolled  map[string]bool        // pools whose rollouts are news
	reload  line                   // what became of the reload, if there was one
	over    bool
}

// seat is a slot of a pool.
type seat struct {
	pool string
	slot int
}

func newLive(opt Options) *live {
	return &live{
		screen: screen{out: opt.Out, coloured: opt.Colour}, size: opt.Size,
		changed: map[seat]time.Duration{}, touched: map[string]bool{}, rolled: map[string]bool{},
	}
}

func (l *live) update(events []Event, snap supervisor.Snapshot, at time.Duration) {
	for i := range events {
		ev := &events[i]
		if ev.Kind == KindReload {
			l.reload = reloadLine(ev)
			continue
		}
		l.touched[ev.Pool] = true
		switch {
		case ev.ofWorker():
			l.changed[seat{ev.Pool, ev.Slot}] = at
		case ev.Kind == KindRollout:
			l.rolled[ev.Pool] = true
		case ev.Kind == KindRemoved:
			maps.DeleteFunc(l.changed, func(s seat, _ time.Duration) bool { return s.pool == ev.Pool })
		}
	}
	l.snap = snap
	l.draw(at)
}

func reloadLine(ev *Event) line {
	c := cyan
	switch ev.State {
	case reloadDone:
		c = green
	case reloadReverting, reloadFailed:
		c = red
	}
	return line{{reloadWords(ev.State, ev.Reason), c}}
}

// end leaves what is worth keeping above what follows.
func (l *live) end(_ Verdict, at time.Duration) {
	l.over = true
	l.draw(at)
}

// The size of a terminal that does not tell: that of the VT100.
const (
	usualColumns = 80
	usualRows    = 24
)

func (l *live) draw(at time.Duration) {
	columns, rows := l.size()
	if columns <= 0 || rows <= 0 {
		columns, rows = usualColumns, usualRows
	}
	// The last column stays free, for terminals differ in when they wrap; the last row has the cursor.
	l.screen.draw(l.frame(columns-1, rows-1, at), columns)
}
