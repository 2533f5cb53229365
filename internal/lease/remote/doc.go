// Package remote keeps places in a store that many machines share, such as etcd.
//
// It has all the rules about sessions and places, over a small [Store]. The engines etcd and memory are this one over
// two stores, so what a simulation shows under virtual time is done by the same code as in a fleet.
//
// Two things are kept of each place that is claimed:
//
//	live   belongs to the holder's session and goes with it
//	mark   stays until the place is released; its revision is the fence
//
// A place with a mark and nothing that lives was lost. It is cooling: each engine counts the cooldown, the lease and the
// error of clocks, from when it saw that itself, by its own clock, and claims the place with the mark it saw as a
// condition. So the cooldown needs no common clock, and it holds also where the store ended a session too early, as
// etcd may when a leader that was stopped for a while goes on (etcd's issue 15247; later versions make it rarer).
//
// # The deadline
//
//	sent ------------------------- + lease              the store may end the session, not earlier
//	sent ------------- + lease - error of clocks        the deadline: the holder has stopped using its places
//	          seen lost ---------------------------- + cooldown    somebody else is given the place
//
// sent is when the last confirmed renewal was sent, by CLOCK_BOOTTIME. The session is renewed three times in a lease. An
// engine that gets no answer until the deadline gives its own session up, and begins another as soon as it can.
//
// # Promise
//
//   - At rest a session costs a renewal in a third of the lease, and nothing else, however many places it has.
//   - A request whose answer did not come is cleared up: what it may have taken is given back.
//   - Who waits for a place hears of it by a watch; of many who wait a few try, spread over a moment.
//   - After Close nothing runs any more. A session without places is ended, one that has some runs out.
//
// # Concurrency
//
// As in package lease: one goroutine per engine holds the session and gives the notices.
package remote
