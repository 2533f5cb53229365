// Package self is what a Go program imports to know that it is a worker: its
// id, its sockets, and how to say that it is ready.
//
// # Promise
//
// Everything works without a supervisor too: the program is then worker 0 of 1,
// has no sockets (ErrNotPassed, upon which it opens its own), and what it says is
// heard by nobody. It works below systemd as well, whose sd_listen_fds(3) and
// sd_notify(3) it speaks. It imports the standard library only and keeps no
// state but the count of CountRequests: each answer is read from the environment.
// Nothing ticks but Watchdog, and that only where it is wanted.
//
// # Concurrency
//
// All functions may be called from any goroutine, and again.
package self
