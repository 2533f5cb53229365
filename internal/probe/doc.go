// Package probe asks one worker, again and again, whether it works, and counts the answers until they are a verdict.
// The words and their defaults are those of the probes of Kubernetes.
//
//	http     GET of a path: the status is in a set, and the body matches if that was asked for
//	tcp      something accepts a connection. On a socket that the supervisor holds the kernel does, whether or not
//	         anybody serves it: it proves something only for a port that the worker opened itself
//	unix     the same for a unix stream socket
//	exec     a shell command ends with 0
//	grpc     grpc.health.v1.Health/Check answers SERVING
//	notify   nothing is run: the worker reports by itself, and Watchdog notices when it stops
//
// # Promise
//
//   - An attempt ends with its timeout at the latest; what is answered later counts as not answered. Where it has to wait
//     for its turn, the time runs from then.
//   - An attempt is one connection of its own. No redirect is followed, no proxy used, nothing kept open. Of an
//     answer at most 64 KiB of header and 64 KiB of body are read, so a worker cannot fill the supervisor's memory.
//   - An error is one line that says what was seen: `status 503 (body: "...")`, `connection refused`, `no answer
//     within 1s`.
//   - No two attempts of a Run overlap. One begins a period after the previous one began, or at once when that took
//     longer.
//   - Only changes of the verdict are reported, the first verdict included.
//   - Between attempts a Run costs a timer and a small stack. There is no event to wait for instead: only an answer
//     shows that a worker answers.
//
// # Concurrency
//
// Config and World are values and may be shared; the functions of a World are called by each attempt. Run calls report
// from the goroutine it was called in, and returns when its context ends, with no attempt left over and no other report:
// as soon as the functions of World let go. Watchdog may be used from any goroutine and calls back from one of its own.
package probe
