package lease

import (
	"errors"
	"fmt"
)

// What an engine's errors are.
var (
	ErrTaken       = errors.New("the place is taken")
	ErrFull        = errors.New("no place is free")
	ErrLost        = errors.New("the claim was lost")
	ErrUnavailable = errors.New("the engine cannot be reached")
	ErrClosed      = errors.New("the engine is closed")
	ErrChanged     = errors.New("somebody else has written meanwhile")
)

// TakenError says who has the place that was asked for. It is [ErrTaken].
type TakenError struct {
	Name string
	Holder
}

func (e *TakenError) Error() string {
	who := e.Who
	if who == "" {
		who = "somebody"
	}
	if e.Cooling {
		return fmt.Sprintf("cannot claim place %d of %s: %s had it and was lost, it is not given again before the cooldown is over", e.Place, e.Name, who)
	}
	return fmt.Sprintf("cannot claim place %d of %s: %s has it (fence %d)", e.Place, e.Name, who, e.Fence)
}

// Is makes it ErrTaken.
func (e *TakenError) Is(target error) bool { return target == ErrTaken }
