// Package metrics shows a supervisor's snapshot to Prometheus.
//
// # Promise
//
// A scrape reads one snapshot and asks nobody. Nothing is counted here: every
// counter is a number of the supervisor's own books, which the snapshot shows, and
// a [Collector] that is made anew shows the same numbers. So counters survive what
// the books survive: an upgrade in place that hands these on hands on the
// counters, and needs to know nothing of this package.
//
// Names begin with brood_ and have base units. Labels are pool and slot, and words
// of short lists such as state and cause; never a pid, which would make a new
// series of each worker. During a rollout a slot has two workers: figures are
// their sum, and worker id and start are those of the one that came last. Of a
// slot only the states are shown that its workers are in; the pool counts its
// workers in every state.
//
// What cannot be had is left out and not 0: figures of workers without a control
// group, queues of sockets that do not tell. Accepted connections are not counted
// by the kernel for a socket, so they are not here.
//
// # Concurrency
//
// Everything may be called from any goroutine. Scrapes within [gatherAge] share
// one picture.
package metrics
