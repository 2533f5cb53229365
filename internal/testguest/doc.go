// Package testguest holds the programs that our tests run as workers: one that
// behaves, and one for each way of misbehaving.
//
// A test binary becomes a guest by calling [Main] first in its TestMain and
// running itself with the arguments "testguest NAME [flags]", or with the same
// words in the environment variable TESTGUEST. The command guest/ is the same as
// a program of its own.
//
//	http        serves its sockets, tells who it is, ends gracefully on TERM; may have moods
//	slow-ready  http that neither accepts nor says READY=1 for a while
//	never-ready has its sockets, never accepts, never says READY=1
//	stubborn    http that ignores TERM, INT and HUP
//	crashing    ends with a code or a signal, at once or after a while
//	recycling   http that ends with 0 after a number of requests
//	forking     leaves children behind in its process group
//	port-only   http that knows no sockets and binds $PORT itself
//	watchdog    http that pings the watchdog a number of times and then falls silent
//	leak        http that takes memory at a rate until it is killed
//	forkbomb    starts sleeping children, up to a number, and goes on trying when refused
//	leaver      starts http in its group and ends
//	daemon      the same with a double fork and a session of its own
//	shutdown    http that calls shutdown(2) on its listening sockets
//	talking     writes lines with numbers, as fast as it is told
//	clearer     http that clears O_NONBLOCK and shrinks the backlog
//
// What serves HTTP answers with an error, late, with other words, by turns or not
// at all, as -mood says, or a file in the directory of -moods, which may change
// while it runs and can mean all of them, a slot or a process: see mood.
//
// Promise: a guest ends by itself after ten minutes, whatever was forgotten; those
// that eat memory or leave their parent do when the process ends that started
// them. A guest writes only where its flags tell it to. With -counters it counts in a mapped
// file, which outlives a SIGKILL, what it accepted and what it answered: see
// [Counters].
//
// Concurrency: the functions that read what guests left behind may be called
// from any goroutine, also while the guests run.
package testguest
