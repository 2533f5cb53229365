// Package plan says what a supervisor is to run, and how it gets from one such description to another.
//
// # Promise
//
//   - Compare is pure: two descriptions and a few facts of the moment in, the changes and their order out.
//   - A pool that did not change is in no change but Kept. A changed number of workers is Scaled and touches no other
//     worker; what only concerns later events (graces, timeouts, proofs of readiness) is Adjusted; whatever a running
//     process cannot learn any more is Rolled.
//   - What several pools cannot have at once (a sharded listener, a port, a worker id) is let go of by the one before
//     the other takes it. Where that goes round in a circle Compare says so.
//   - Progress applies the changes of a plan as one transaction: each begins when those it needs are done; after the
//     first failure no further one begins, and those that had begun are undone in the opposite order.
//
// Nothing here does I/O, has a clock or a goroutine. A Progress belongs to one goroutine.
package plan
