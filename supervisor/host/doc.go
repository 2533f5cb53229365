// Package host runs a supervisor in this process: it makes the [supervisor.World] out of the real kernel, files and
// service manager. Command brood uses it, and so can any program that wants to look after workers of its own:
//
//	func init() { runtime.LockOSThread() } // so that main is on the main thread
//
//	h, err := host.New(host.Options{Name: "shop"})       // takes over the process
//	defer h.Close()
//	pool, err := host.NewPool("web", []string{"/usr/bin/shop", "serve"}, http)
//	sup, err := h.Supervise(plan.Desired{Listeners: []listener.Config{http}, Pools: []plan.Pool{pool}})
//	err = h.Run(ctx)                                     // until the last worker has ended
//
// What is to run is said by [NewPool], whose fields may then be changed, or by [Parse] in the words of brood.toml. What
// the workers do is told by sup.Published and sup.Events, and changed by sup.Do; with Options.Control by the brood
// command as well.
//
// # What becomes of the process
//
// There is one Host per process, from its start on, and it changes the process for good:
//
//   - Run needs the main thread. Workers are forked there, because the kernel kills them when the thread that forked them
//     ends. The goroutine of main is busy with that until Run returns.
//   - Every child is reaped here, orphans of the workers too (PR_SET_CHILD_SUBREAPER). So while Run runs, os/exec and
//     os.Process.Wait may lose the exit status of what they have started: [Host.World] has a Run for commands.
//   - All descriptors from 3 on are closed on exec, those that were inherited too.
//   - TERM, INT, HUP, USR1, USR2, TTIN and TTOU mean what docs/signals.md says, until Close, unless Options.Signals lists
//     fewer; CHLD is handled. PIPE is caught, so that a reader of stdout that goes away ends nothing. Signals that were ignored have their
//     default action again.
//   - LISTEN_FDS is taken, NOTIFY_SOCKET is told of what happens, and neither is passed on.
//   - Where control groups may be made, the process moves into one of its own beside those of the workers.
//   - The garbage collector runs less often while the workers start.
//
// Package worker/shim is linked in: this program is executed on the way to a worker's own, acts before main, and main does not
// begin. Packages of the program may be initialised before it acts; that should change nothing outside of the process.
//
// # Concurrency
//
// New, Supervise, Run and Close are called once each, in this order, Close by whoever called New, and Run on the main
// thread. All other methods may be called from any goroutine. Options.Load and what was given to AtEnd are called on
// goroutines of their own.
package host
