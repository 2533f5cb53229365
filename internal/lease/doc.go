// Package lease is one primitive: claim place i of a name, so that nobody else has it until it is given back or lost.
//
// Everything that supervisors agree on is made of it:
//
//	worker ids        any free place of 0..1023 under "web.ids"
//	a leader          place 0 of 0..0; who does not get it waits
//	turns at a roll   any free place of 0..n-1, a semaphore; the value of a place tells how far its holder is
//
// What has to outlive all holders, such as that nobody may roll now, is a [Memo].
//
// An [Engine] keeps the places: local (locks of the kernel on a file, for one machine), etcd (for a fleet), memory (for
// tests and simulations). One contract, in internal/lease/leasetest, is run against all of them.
//
// # Promise
//
//   - A place has one holder at most, whatever dies, freezes or is cut off: where the engine is another machine, a
//     holder that stops using its places at the [Session]'s deadline has stopped before anybody else is given one.
//   - The fence is a number that grows with every claim of a place. Whoever is reached by two holders believes the larger.
//   - A place that was released is free at once. One whose holder was lost is not given again before the cooldown is
//     over; in the local engine it is free as soon as the last process that has its descriptor is gone.
//   - A claim survives the exec of a new binary in its process: [Claim.Saved] before, [Engine.Adopt] after.
//   - Waiting costs nothing: engines wait for news, they do not ask again and again.
//   - Errors say what was to be done and where. They are one of [ErrTaken], [ErrFull], [ErrLost], [ErrUnavailable],
//     [ErrClosed] and [ErrChanged], or a mistake of the caller or of the machine that trying again does not mend.
//
// # Concurrency
//
// Engines and claims may be used from any goroutine. Calls may take as long as their context allows, so a loop hands
// them to somebody else. Notices are given from a goroutine of the engine, one after another, and must not block.
package lease
