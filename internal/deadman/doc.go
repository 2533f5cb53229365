// Package deadman is a process that kills workers whose claims end when their supervisor does not come to it: because it was
// stopped, hangs, or is dead while its workers live on.
//
// It is the program that imports this package, executed again under the name of [Argv]. The package's init notices that and never
// returns; like package worker/shim it depends on little, so that much of the program is never initialised.
//
// # What it is told
//
// One socket leads to it, on which each message is whole ([Message]): when a session ends ([Deadline]), which worker uses
// claims of which sessions ([Watch]), and which does not any more ([Forget]). A worker is watched before it runs its program:
// what runs between its fork and its program (worker/shim) says so itself, with a pidfd. So there is no moment at which a
// supervisor could be stopped and have a worker that nobody knows.
//
// # Promise
//
//   - At the time of a deadline (CLOCK_BOOTTIME), unless it was put off before, all workers of that session are killed with their
//     process groups, and with their control groups if they have some. Who is watched after that is killed at once.
//   - Nobody else is ever killed: workers are known by pidfds, not by numbers.
//   - A supervisor that is gone changes nothing. The process ends when nobody is left whom it watches.
//   - It has one timer, and sleeps otherwise. Of signals only SIGKILL and SIGSTOP reach it. It has no descriptor of its
//     supervisor but the socket.
//
// # Concurrency
//
// The process has one goroutine. [Line] may be used from any goroutine.
package deadman
