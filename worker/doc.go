// Package worker is one process seen from its supervisor: what to run, how it
// is started, signalled and observed, and how its end is told.
//
// # Promise
//
//   - A worker is its own process group, has /dev/null or what the caller says
//     as its standard descriptors, exactly the files it was given from 3 on, an
//     empty signal mask and default dispositions. Nothing else leaks into it.
//   - A worker of another user keeps nothing of the supervisor's rights: no group,
//     no capability but those that it was given. It can enter and execute what that
//     user can.
//   - Start tells success only when the worker's program runs, not when a child
//     was forked. A worker that never ran is an *ExecError that says why.
//   - Every exit is reported exactly once, with the status of that very process,
//     also with hundreds of exits at a time and orphans in between.
//   - No signal ever reaches a process that merely inherited a number: leaders
//     are signalled through pidfds, groups only while the leader is unreaped or
//     the group is known to remain.
//   - What a worker uses is told of its whole tree, memory that its processes share
//     counted once.
//   - Nothing here ticks: child signals, pipe ends and datagrams wake it. The one
//     exception is a group that has outlived its leader, see OnGone.
//
// # Concurrency
//
// Forks happen on the one thread that runs Spawner.Main, which must be the
// locked main thread: a parent-death signal is bound to the forking thread, and
// the children inherit that thread's signal mask. Callbacks of one process never
// overlap and come in the order done, OnExit, OnGone, on goroutines of this
// package or of the poller; they must not block. All other methods may be called
// from anywhere. No lock is held while calling out.
//
// What a program outside of this module says with this package is what its workers
// are: recipes, readiness, limits, settings. The Spawner needs a poller that only
// this module has; package supervisor/host has both.
//
// Package worker/shim, which this one imports, acts in the child where fork(2) and
// execve(2) alone do not suffice; package worker/self is the workers' side.
package worker
