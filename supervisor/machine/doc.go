// Package machine decides what happens to the workers of one pool. It is a pure function:
//
//	next, actions := machine.Step(state, event)
//
// There is no clock, no I/O, no lock and no goroutine in it; time enters only as [TimerFired]. The supervisor
// performs the actions and reports what came of them as further events, so every decision can be searched
// exhaustively by a test and replayed from a log.
//
// # Promise
//
//   - I1: no worker id is held by two unreaped workers.
//   - I2: nothing is started in a wanted slot while workers + max_surge workers of the wanted slots are unreaped. Slots
//     that are being scaled away count apart, so that their drain never delays a restart.
//   - I3: a rollout never stops a ready worker if that leaves fewer than workers - max_unavailable ready.
//   - I4: exit 0 only when every process is reaped.
//   - I5: the fourth termination kills everything and exits in the same step.
//   - I6: nothing starts while stopping.
//   - I7: each worker has exactly the one timer of its health (a draining one exactly one grace timer).
//   - I8: health moves only along the diagram of docs/states.md.
//   - I9: from every serving state the desired state can be reached, and from every stopping state the exit,
//     also with workers that never obey.
//   - I10: a failed rollout ends with the previous generation serving.
//
// # Places
//
// A pool has slots, and a slot has two sides, A and B, each with its own sockets. A worker lives on one side of one
// slot. Incumbent and successor never share a side. A worker that dies is replaced on the side it had, because
// connections may wait in that side's queue; a worker that is replaced on purpose gets its successor on the other
// side. The home side is where the slot's connections are: a ready worker's, else where the next worker is to start.
//
// # News
//
// An event about a worker names its place and its incarnation. If the place has another incarnation by now, the news
// is late and is dropped. Step is total: every event is allowed in every state.
//
// # Proof
//
// TestModel searches all states that small pools can reach, with an environment that crashes, delays, repeats and
// disobeys, and that checks the promises above from books of its own; TestWalks takes random ways through large pools.
// docs/mutations.md lists the bugs that were planted to see whether the search finds them.
package machine
