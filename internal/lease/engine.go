package lease

import (
	"cmp"
	"context"
	"os"
)

// Engine keeps places, and a board of memos beside them.
type Engine interface {
	Board

	// Claim takes a place. Where somebody has it the error is a *[TakenError], which says who.
	Claim(ctx context.Context, name string, place int) (Claim, error)

	// ClaimAny takes one of the preferred places that is free and within the range, or else any free place of it. Where
	// there is none, the error is [ErrFull].
	ClaimAny(ctx context.Context, name string, among Range, prefer ...int) (Claim, error)

	// Adopt goes on with a claim that an earlier program of this process had: after an upgrade in place. A claim that
	// has a descriptor needs it, and takes it over if there is no error. One whose session has ended is lost at once.
	Adopt(ctx context.Context, saved Saved, file *os.File) (Claim, error)

	// Holders are those of all places of a name that are taken, in the order of the places.
	Holders(ctx context.Context, name string) ([]Holder, error)

	// Wait returns when a place of the range may be free, which a claim then shows. Others who wait are told as well.
	Wait(ctx context.Context, name string, among Range) error

	// Session is the current one.
	Session() Session

	// Close ends the engine and gives nothing back: what was not released stays taken as if the process had died.
	Close() error
}

// Claim is a place that is held.
type Claim interface {
	Name() string
	Place() int

	// Fence is larger than that of every earlier claim of the place.
	Fence() uint64

	// SetValue shows others a few words, at most [MaxValue] bytes, beside the holder's name.
	SetValue(ctx context.Context, value string) error

	// Release gives the place back: the holder promises that it is not used any more. Of a claim that was lost it ends
	// the cooldown. On an error the engine goes on trying for as long as it is open.
	Release(ctx context.Context) error

	// Lost is closed when the place is not the holder's any more without a release. What uses the place has to stop at
	// the session's deadline, which is earlier or the same.
	Lost() <-chan struct{}

	// File is the descriptor that holds the place, or nil where the engine has none. A process that inherits it holds
	// the place too, until its end. It stays the claim's own.
	File() *os.File

	// Saved is what Adopt needs.
	Saved() Saved
}

// Saved describes a claim to a later program of the same process.
type Saved struct {
	Name    string    `json:"name"`
	Place   int       `json:"place"`
	Fence   uint64    `json:"fence"`
	Session SessionID `json:"session,omitempty"`
}

// Holder has a place, as others see it.
type Holder struct {
	Place   int    `json:"place"`
	Fence   uint64 `json:"fence"`
	Who     string `json:"who"`
	Value   string `json:"value,omitempty"`
	Cooling bool   `json:"cooling,omitempty"` // the holder was lost; the place is not given again before the cooldown is over
}

// MostNamed is how many holders a sentence names: more would say nothing more.
const MostNamed = 4

// Called is who it is, in a sentence.
func (h Holder) Called() string {
	who := cmp.Or(h.Who, "somebody")
	if h.Cooling {
		who += ", who was lost"
	}
	return who
}
