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
//   - I3: a rollout never stops a worker in service if that leaves fewer than workers - max_unavailable to rely on: ready
//     ones, and slots that have finished. Slots that are unready by themselves do not hold it up where it leaves as many
//     slots served as there were.
//   - I4: exit 0 only when every process is reaped.
//   - I5: the fourth termination kills everything and exits in the same step.
//   - I6: nothing starts while stopping.
//   - I7: each worker has exactly the one timer of its health (a draining one exactly one grace timer), also when a
//     specification comes that has no time for it, or has one again.
//   - I8: health moves only along the diagram of docs/states.md.
//   - I9: from every serving state the desired state can be reached, and from every stopping state the exit,
//     also with workers that never obey.
//   - I10: a failed or aborted rollout ends with the previous generation serving, and with the previous specification
//     wanted, in the same step.
//
// # Places
//
// A pool has slots, and a slot has two sides, A and B, each with its own sockets. A worker lives on one side of one
// slot. Incumbent and successor never share a side. A worker that dies is replaced on the side it had, because
// connections may wait in that side's queue; a worker that is replaced on purpose gets its successor on the other
// side. The home side is where the slot's connections are: a ready worker's, else where the next worker is to start.
//
// Where another process will have the queues ([StopRequested]), a stop steers connections to places where nobody is, and who
// served settles before it is told to leave. Elsewhere a stop steers nobody away.
//
// # Wishes
//
// A specification may change in any state, with a rollout or without one, and so may every part of it. What needs no
// rollout holds from now on; what comes with one is taken back if that fails. How many workers a user asks for is a wish
// of its own, which no rollout takes back. While a rollout is under way the next one is queued, and the latest wish wins.
// An abort ends both. Every rollout has one [RolloutEnded], also one that was queued and dropped, and no number is given
// twice.
//
// Where supervisors take turns at rollouts, one that is asked for is queued until the pool has its turn. The turn is given
// back when the rollout has ended, and the next one waits for another turn. Without it no further slot gets the target.
//
// A successor has to prove itself first, if the specification says so: it serves, but its rollout does not count on it,
// so the incumbent stays. Of a canary's rollout no second slot runs the target before the first one is through.
//
// # Fitness
//
// A worker that was ready once may become unready: it is steered away from and kept. One that fails is steered away from as
// well, and replaced on its own side: asked where it hangs, then killed. So many slots at once may have nobody up because
// of that as a rollout may be short of, and one at least; the other failing workers stay. If nobody is in service, all that
// are up take connections: what makes every worker unready lies outside, and the last one must not get everything. A
// rollout whose successor is not ready any more has failed.
//
// A worker that is due to be recycled gets a successor of its own generation, in the order that the specification has for
// rollouts: one at a time, with a gap after each, and none begins while there is a rollout. If the successor fails, the
// worker stays, and its turn comes again.
//
// Where a restart policy says that nobody follows a worker, its slot has finished, and runs again when a rollout gives it
// its turn. A pool whose slots have all finished exits: with 0, or with 1 if one of them did not end well.
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
