package progress

import (
	"fmt"
	"strings"
	"time"

	"github.com/broodctl/brood/internal/text"
)

// layout lines up the columns of a frame.
type layout struct {
	narrow                         bool
	bar                            int // 0: there is no room for one
	name, count                    int
	label, from, to, words, clocks int
}

// The widths from which on there is room for more.
const (
	wideBar = 70
	roomy   = 60 // for both pids of a slot, and for whole words
	anyBar  = 30
)

func newLayout(views []view, width int) layout {
	lay := layout{narrow: width < roomy}
	switch {
	case width >= wideBar:
		lay.bar = 20
	case width >= anyBar:
		lay.bar = 8
	}
	for i := range views {
		v := &views[i]
		lay.name = max(lay.name, text.Width(v.pool.Name))
		lay.count = max(lay.count, len(v.count()))
		for j := range v.rows {
			r := &v.rows[j]
			lay.label = max(lay.label, text.Width(r.label))
			lay.to = max(lay.to, len(r.to))
			lay.words = max(lay.words, r.words.width())
			lay.clocks = max(lay.clocks, len(r.clock))
			if !lay.narrow {
				lay.from = max(lay.from, len(r.from))
			}
		}
	}
	return lay
}

func (v *view) count() string { return fmt.Sprintf("%d/%d", v.done, v.pool.Desired) }

// head is the line of a pool: its name, the bar, how many slots are done, how long it takes, and what happens.
func (lay *layout) head(v *view, at time.Duration) line {
	l := line{{text.Pad(v.pool.Name, lay.name), noColour}}
	if lay.bar > 0 {
		full := lay.bar
		if v.pool.Desired > 0 {
			full = lay.bar * v.done / v.pool.Desired
		}
		l = append(l, span{" [", noColour}, span{strings.Repeat("#", full), v.colour()},
			span{strings.Repeat("-", lay.bar-full) + "]", noColour})
	}
	l = append(l, span{fmt.Sprintf(" %*s  ", lay.count, v.count()), noColour})
	if !v.calm {
		l = append(l, span{clock(at) + "  ", noColour})
	}
	return append(l, span{lay.happens(v), v.colour()})
}

func (v *view) colour() colour {
	switch r := v.pool.Rollout; {
	case r != nil && (r.State == rolloutReverting || v.news && r.State == rolloutFailed):
		return red
	case v.calm:
		return green
	default:
		return cyan
	}
}

// happens says what a pool is about.
func (lay *layout) happens(v *view) string {
	p, r := v.pool, v.pool.Rollout
	switch {
	case len(p.Unmet) > 0:
		return because("lacks what it requires", strings.Join(p.Unmet, ", "))
	case p.Phase == phaseWaiting:
		return because("waits for other pools", strings.Join(p.WaitsFor, ", "))
	case p.Phase == phasePreparing:
		return "preparing its start"
	case p.Phase != phaseServing && len(p.Workers) == 0:
		return text.Neutral(p.Phase)
	case p.Phase != phaseServing:
		return fmt.Sprintf("%s, %d left", text.Neutral(p.Phase), len(p.Workers))
	case r != nil && r.State == rolloutWaiting:
		return because("waits for its turn", r.Reason)
	case r != nil && r.State == rolloutRolling:
		return "rolling to " + lay.generation(r.Generation)
	case r != nil && r.State == rolloutReverting:
		return because("going back: "+lay.generation(r.Generation)+" failed", r.Reason)
	case r != nil && r.State == rolloutFailed && v.news:
		return because("failed to roll to "+lay.generation(r.Generation), r.Reason)
	case v.calm && v.news:
		return "done, at " + lay.generation(p.Generation)
	case v.calm:
		return "ready"
	case v.done+p.StandsBy < p.Desired:
		return fmt.Sprintf("%d to go", p.Desired-p.StandsBy-v.done)
	default:
		return "workers are leaving"
	}
}

func (lay *layout) generation(n uint64) string {
	if lay.narrow {
		return fmt.Sprintf("g%d", n)
	}
	return fmt.Sprintf("generation %d", n)
}

// row is the line of a slot.
func (lay *layout) row(r *row) line {
	l := line{{"  " + text.Pad(r.label, lay.label) + "  ", noColour}}
	if lay.from > 0 {
		arrow := "    "
		if r.from != "" {
			arrow = " -> "
		}
		l = append(l, span{text.Pad(r.from, lay.from) + arrow, faint})
	}
	l = append(l, span{text.Pad(r.to, lay.to) + "  ", noColour})
	l = append(l, r.words...)
	l = append(l, span{fmt.Sprintf("%*s  %*s", lay.words-r.words.width(), "", lay.clocks, r.clock), noColour})
	return append(l, span{"  " + r.note, faint})
}
