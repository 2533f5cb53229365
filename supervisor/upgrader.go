package supervisor

import "context"

// Upgrader has another version of the program take the place of this process; see package host. All but Check and Hush are
// called by the loop.
type Upgrader interface {
	// Changed reports whether there is another program by now where this one came from. It may block.
	Changed() bool
	// Check has the program at a path, "" for wherever this one came from, say whether it can go on from such a state. It
	// may block.
	Check(ctx context.Context, path string, state Handed) (Successor, error)
	// Hush ends what others have under way beside the loop, and keeps more from beginning: what is asked from here on waits
	// for the next program. It may block.
	Hush(ctx context.Context)
	// Hold keeps everything from happening to workers from outside: no fork, no death, no datagram. held is called from
	// another goroutine when what happened before has been told.
	Hold(held func())
	// Replace does not return, or with the reason why this process is still the same program.
	Replace(next Successor, state Handed) error
	// Release takes Hush and Hold back, in so far as they were called. The context of a Hush that is not over has ended.
	Release()
}

// Successor is a program that has said that it can go on.
type Successor struct{ Path, Version string }
