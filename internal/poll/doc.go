// Package poll waits for many raw file descriptors with one goroutine.
//
// A supervisor holds a pipe and a socket or two for each of a thousand workers.
// A goroutine blocked in read for each would cost a thread apiece, because raw
// descriptors stay outside the Go runtime's own poller on purpose: os.File and
// net would change O_NONBLOCK on descriptions that are shared with the workers.
// Here one epoll descriptor and one goroutine serve them all.
//
// # Promise
//
// Callbacks run one after another on the poller's goroutine. A callback that
// blocks stops all others, so it must only do what cannot block. Readiness is
// level triggered: a callback that leaves something unread is called again.
// An idle Poller sleeps in epoll_wait(2) without a timeout and never wakes by
// itself.
//
// # Concurrency
//
// All methods may be called from any goroutine; Add and Remove also from inside
// a callback. Pause and Close must not be called from a callback, because they wait
// for the goroutine that runs it. No lock is held while a callback runs.
package poll
