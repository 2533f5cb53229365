package self

import (
	"os"
	"strconv"

	"github.com/broodctl/brood/worker/handshake"
)

// Supervised tells whether brood started this program.
func Supervised() bool { return os.Getenv(handshake.EnvWorkerID) != "" }

// ID is a number that no other live worker has; 0 without a supervisor. It is
// free for another worker as soon as this process is gone, so it suits for what
// needs distinct small numbers: id generators, partitions, metrics labels.
func ID() int { return number(handshake.EnvWorkerID, 0) }

// Slot is the place in the pool, from 0 to Workers()-1. During a rollout two
// workers have it: the old and the new.
func Slot() int { return number(handshake.EnvSlot, 0) }

// Leader tells whether this worker is the one that does what only one of its pool
// may do: the pool has leader = true, and no other process of it has been told the
// same that still lives. Without a supervisor there is only this one: true.
func Leader() bool { return !Supervised() || os.Getenv(handshake.EnvLeader) == "1" }

// Workers is how many slots the pool had when this worker was started; 1 without
// a supervisor.
func Workers() int { return number(handshake.EnvWorkers, 1) }

// Pool is the name of the pool; empty without a supervisor.
func Pool() string { return os.Getenv(handshake.EnvPool) }

func number(name string, otherwise int) int {
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil || n < 0 {
		return otherwise
	}
	return n
}
