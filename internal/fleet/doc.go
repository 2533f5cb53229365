// Package fleet is how supervisors take turns at their rollouts.
//
// A fleet is a name in a [lease.Engine]:
//
//	NAME.members   each pool of the fleet holds one of these places; its value is a [Report], which people read
//	NAME.turns     a semaphore: who rolls holds one of its places until the rollout has ended
//	NAME           a memo, the [State]: whether somebody has paused the fleet, and how many rollouts have failed
//
// Before a turn is taken, and once more when it was, the memo is read: where nobody may begin, the turn goes back and its
// seeker waits until something else is written. A rollout that fails is written down before its turn goes back. So after
// the last failure that a fleet bears nobody begins, whoever has the next turn.
//
// # Promise
//
//   - No more than [Config.AtOnce] of a fleet roll at once, as those see it who count its members.
//   - Who dies while it rolls keeps nobody waiting longer than the engine keeps its place.
//   - Waiting costs nothing: engines tell of turns and of what is written.
//
// # Concurrency
//
// A [Fleet] is a value, and may be used from any goroutine; a [Queue] belongs to one at a time. Calls take as long as their
// context allows.
package fleet
