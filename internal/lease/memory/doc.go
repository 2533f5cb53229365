// Package memory is a store of places within one process, for tests and for simulations of a fleet.
//
// It is the model of etcd: a [Server] has revisions, sessions that run out, watches and a way to it that takes time, and
// each engine is a client whose way can be cut. The rules about places and sessions are those of internal/lease/remote,
// as with etcd. In a bubble of testing/synctest an hour of a thousand supervisors takes seconds.
//
// # Faults
//
// A client that is cut off gets no answer and no news: what it asked for before may have been done or not, and while it
// is cut nothing arrives. After it was joined again its watches are interrupted.
//
// # Concurrency
//
// Everything may be used from any goroutine. There are no goroutines but those of timers.
package memory
