package supervisor

import (
	"errors"
	"fmt"

	"github.com/broodctl/brood/worker"
)

// CheckHanded reports why no supervisor could go on from a state, as far as that can be told without taking anything over.
func CheckHanded(h *Handed) error {
	if len(h.Pools) == 0 {
		return fmt.Errorf("cannot go on from this state: %w", errNoPools)
	}
	for i := range h.Pools {
		if err := h.Pools[i].check(len(h.Asked)); err != nil {
			return fmt.Errorf("cannot go on from this state: pool %s: %w", h.Pools[i].Name, err)
		}
	}
	return nil
}

var errRange = errors.New("a number is out of range")

func (h *HandedPool) check(answers int) error {
	if err := h.State.Spec.Validate(); err != nil {
		return err
	}
	known := map[uint64]bool{}
	for i := range h.Editions {
		e := &h.Editions[i]
		known[e.Generation] = true
		if len(e.Pool.Recipe.Argv) == 0 {
			return worker.ErrRecipe
		}
	}
	switch {
	case !known[h.State.Generation]:
		return errNoEdition
	case h.Station > running || len(h.State.Slots) > 2*maxSlots:
		return errRange
	}
	for i := range h.Workers {
		w := &h.Workers[i]
		switch {
		case !known[w.Generation]:
			return errNoEdition
		case w.Ref.Slot < 0 || w.Ref.Side > 1 || w.Gate > through || w.Health > failing:
			return errRange
		}
	}
	for _, w := range h.Waiting {
		if w.Answer < 0 || w.Answer >= answers {
			return errRange
		}
	}
	for _, r := range h.Restarts {
		if r.Answer < 0 || r.Answer >= answers {
			return errRange
		}
	}
	return nil
}

// maxSlots is more than a pool ever has; see machine.MaxWorkers.
const maxSlots = 1 << 16
