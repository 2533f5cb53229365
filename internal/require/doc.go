// Package require checks what a pool needs from outside before it may start: a database that answers, a key that is
// set, a file that is there.
//
//	tcp://HOST:PORT     something accepts connections; a name is looked up again for each attempt
//	unix:///PATH        the same for a unix socket of any type; unix:@NAME is an abstract one, see unix(7)
//	env:NAME            the worker will have this variable, and it is not empty
//	file:PATH           the supervisor can open the file or directory; a relative path begins at the pool's directory
//	exec:COMMAND        the shell command ends with 0
//
// # Promise
//
//   - A requirement is checked from the supervisor, but for env and exec, which see what a worker would.
//   - An empty variable counts as missing: who requires API_KEYS wants keys. What may be empty is not required.
//   - A TCP connection to oneself is no answer. The kernel makes one when a client happens to get the local port that
//     it connects to.
//   - Each error is one line that says which requirement failed and why.
//   - No password gets into an error, a log or a status: Parse refuses texts that have one, without repeating it.
//
// # Concurrency
//
// A Requirement is a value and may be shared. All calls the functions of World from several goroutines at once, and
// returns only when none of them runs any more.
package require
