package remote

import (
	"time"

	"github.com/broodctl/brood/internal/lease"
)

// hint is a place that is probably free: it was given back here, or somebody who waited saw it. In that case the others
// of a range were taken.
type hint struct {
	place int
	only  lease.Range
	until time.Duration // how long the others are believed to be
}

func (e *Engine) hintAt(name string, h hint) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hints[name] = h
}

// takeHint gives a hint for a range, once.
func (e *Engine) takeHint(name string, among lease.Range) (hint, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	h, hinted := e.hints[name]
	if !hinted || !among.Contains(h.place) {
		return hint{}, false
	}
	delete(e.hints, name)
	return h, true
}
