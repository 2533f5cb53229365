package fleet

import "github.com/broodctl/brood/internal/lease"

// Config is what a pool knows of its fleet. Without a name it has none.
type Config struct {
	Name string
	// MaxParallel is how many may roll at once; ParallelPercent counts instead if it is not 0, in parts of a hundred of
	// the members, rounded down.
	MaxParallel     int
	ParallelPercent int
	// StopAfter is after how many failed rollouts nobody begins another one; 0 is never.
	StopAfter int
}

// MaxMembers bounds a fleet: the local engine looks at all places to find those that are held.
const MaxMembers = 4096

// AtOnce is how many of so many members may roll at once: one at least.
func (c Config) AtOnce(members int) int {
	n := c.MaxParallel
	if c.ParallelPercent > 0 {
		n = members * c.ParallelPercent / 100
	}
	return min(max(n, 1), MaxMembers)
}

// Members is where those of a fleet are.
func (c Config) Members() (name string, among lease.Range) {
	return c.Name + ".members", lease.Range{First: 0, Last: MaxMembers - 1}
}

// Turns is where those are who roll.
func (c Config) Turns() (name string) { return c.Name + ".turns" }
