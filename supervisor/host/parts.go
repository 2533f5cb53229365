package host

import (
	"context"
	"encoding/json"
	"fmt"
)

// Part is something else of this process that goes on in the next program: a server of its own, with its address.
type Part interface {
	// Pause has it take nothing new, and finish what it is at, until ctx ends.
	Pause(ctx context.Context)
	// Resume takes Pause back: no other program has come.
	Resume()
	// Hand describes it to the next program, after Pause, with the descriptors that are to be inherited under their
	// numbers. outstanding reports for which tickets of requests the supervisor still has an answer to give. The loop of
	// the supervisor stands still meanwhile: nothing may wait for it.
	Hand(ctx context.Context, outstanding func(ticket string) bool) (data any, descriptors []int, err error)
	// Settle is called in the next program when there is no way back any more: what it took over by its descriptors is
	// its own.
	Settle()
}

type namedPart struct {
	name string
	part Part
}

// Keep has a part handed on in an upgrade, under a name that no other has. It is said before Run.
func (h *Host) Keep(name string, p Part) { h.parts = append(h.parts, namedPart{name, p}) }

// Handed reports whether the program before has handed on something under a name, and reads it.
func (h *Host) Handed(name string, into any) (bool, error) {
	if h.doc == nil {
		return false, nil
	}
	p, is := h.doc.Parts[name]
	if !is {
		return false, nil
	}
	if err := json.Unmarshal(p.Data, into); err != nil {
		return true, fmt.Errorf("cannot take over %s: %w", name, err)
	}
	return true, nil
}

// IsUpgrade reports whether this program goes on in the place of another.
func (h *Host) IsUpgrade() bool { return h.doc != nil }
