package progress

import (
	"fmt"
	"strconv"
	"time"

	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/supervisor"
)

// rank says how much a slot is of interest.
type rank uint8

const (
	rankMoving  rank = iota // something is going on
	rankLately              // something was, a moment ago
	rankPending             // its turn comes
	rankSettled
	ranks
)

// row is what is to be seen of a slot.
type row struct {
	rank  rank
	label string
	from  string // the worker that goes, as pid and generation
	to    string // the one that stays
	words line
	clock string // how long it has been so, while that matters
	note  string
}

func newRow(p *supervisor.PoolView, s slot) row {
	r := row{rank: rankMoving, label: fmt.Sprintf("%s.%d", p.Name, s.index)}
	w, old := s.successor, s.incumbent
	if w == nil {
		r.words = line{{"no worker", red}}
		return r
	}
	r.to = identity(w)
	r.words = line{{stateWords(w.State), stateColour(p, w)}}
	if old != nil {
		r.from = identity(old)
		if old.State != stateReady {
			r.words = append(r.words, span{", old " + old.State, stateColour(p, old)})
		}
	}
	switch {
	case w.State == stateWaiting:
		r.note = text.Neutral(w.LastExit)
	case w.Health != "":
		r.note = text.Neutral(w.Health)
	case w.State != stateReady:
		r.note = text.Neutral(w.Status)
	}
	if resting := w.State == stateReady || w.State == stateFinished; resting && old == nil && s.index < p.Desired {
		r.rank = rankSettled
		if w.Generation != goal(p) {
			r.rank = rankPending
		}
	}
	return r
}

// identity is a worker in few characters: 4711/g2 is the process 4711 of generation 2.
func identity(w *supervisor.WorkerView) string {
	pid := "-"
	if w.PID != 0 {
		pid = strconv.Itoa(w.PID)
	}
	return fmt.Sprintf("%s/g%d", pid, w.Generation)
}

func stateWords(state string) string {
	if state == stateWaiting {
		return "waiting to start"
	}
	return text.Neutral(state)
}

func stateColour(p *supervisor.PoolView, w *supervisor.WorkerView) colour {
	switch w.State {
	case stateReady, stateFinished:
		if w.Generation == goal(p) {
			return green
		}
		return noColour
	case stateStarting, stateProving, stateUnready:
		return yellow
	case stateWaiting, stateFailing, stateTracing, stateReaping, stateKilled:
		return red
	case stateSettling, stateRetiring, stateDraining:
		return faint
	}
	return noColour
}

// clock is a duration that moves: to the tenth of a second while that is of interest.
func clock(d time.Duration) string {
	if d < 100*time.Second {
		return seconds(d)
	}
	return d.Truncate(time.Second).String()
}
