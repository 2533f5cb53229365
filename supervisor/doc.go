// Package supervisor runs pools of workers: it performs what package machine decides and reports back what came of it.
//
// # Promise
//
// One goroutine, the loop of [Supervisor.Run], owns all state. Everything else that happens, a signal, a death, a
// datagram, a request over the control socket, is a message in one mailbox that never blocks its sender. Five rules
// keep that true:
//
//  1. Only the loop changes state.
//  2. Performing an action never blocks: forks go to the spawner's thread, signals are one system call, timers and
//     words to systemd are handed over.
//  3. Every result comes back as a message.
//  4. Nobody holds a lock while calling out.
//  5. Readers use the published [Snapshot], never a question to the loop: status answers also when the loop is busy.
//
// The loop sleeps while nothing happens. Its only timers are those of workers on the move (backoff, readiness, settle,
// grace), the gap between heap dumps, and the watchdog if systemd asked for one.
//
// What it needs from outside is a [World]: package supervisor/host makes the real one, and is what a program imports that
// wants a supervisor in it. Tests make their own.
//
// # Concurrency
//
// Run is called once. All other methods may be called from any goroutine, before, during and after Run.
package supervisor
