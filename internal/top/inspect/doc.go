// Package inspect reads what the kernel tells of a worker: its processes, its open files, its limits, its environment.
//
// # Promise
//
// Only /proc is read, as proc(5) describes it, and nothing is changed or stopped. Each part has its own error, because each
// has rights of its own; one that wraps fs.ErrPermission says that this user may not look. Values that are, or may be, secrets
// are replaced before they leave the package. Processes that end meanwhile are left out. A worker that is no child of
// its supervisor here is one of another machine or PID namespace, of whose pids nothing is believed.
//
// Texts are as the processes wrote them: whoever shows them makes them harmless first.
//
// # Concurrency
//
// Everything may be called from any goroutine.
package inspect
