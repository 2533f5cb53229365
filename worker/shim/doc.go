// Package shim is what a child process does between the fork and the worker's
// own program, where Go cannot act: it puts the child's pid into the environment
// (LISTEN_PID of sd_listen_fds(3), WATCHDOG_PID of sd_watchdog_enabled(3)), does
// what its Orders say, and executes the program.
//
// It is the program that imports it, executed again under the name Name. The
// package's init notices that and never returns. Any program that starts workers
// contains it, because package worker imports it.
//
// # Promise
//
// It is lean: init runs before the packages of the daemon are initialised,
// because this package depends on syscall alone and the linker orders package
// initialisation by dependencies first. It must never import anything else.
//
// Its news travel over a close-on-exec pipe: what is written says how far it
// came, the end of file says that it is over. A pipe that ends after StageExec
// without an errno means that the program runs.
//
// # Concurrency
//
// init runs before any goroutine of the program. All else is pure.
package shim
