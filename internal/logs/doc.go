// Package logs takes what workers write and puts it where the supervisor's own
// output goes.
//
// # Promise
//
// There are three modes, see [Mode], and each stream has one of its own. In none
// of them does brood change a byte that a worker wrote, except that on a terminal
// each line gets a prefix.
//
// A consumer of our own stdout or stderr that is slow, full or gone never stops
// the supervisor. At most [softLimit] bytes wait for it; beyond that brood stops
// reading the pipes of the workers that write, so that they feel the same
// back-pressure as with an inherited descriptor, and goes on when half of it has
// been written. What a consumer refuses (EPIPE, ENOSPC and the like) is dropped
// and counted, see [Mux.Lost]: a worker must not die of SIGPIPE because the
// supervisor's log has nowhere to go.
//
// Descriptors 1 and 2 are never switched to O_NONBLOCK. That flag belongs to the
// open file description and would change it for the shell and for every worker
// that inherited it. Blocking writes happen on a goroutine per destination,
// which first asks poll(2) and then writes at most PIPE_BUF bytes.
//
// In Tail mode one read takes all that a pipe of the default size holds, so
// writes of up to PIPE_BUF bytes (4096) stay whole and in order even when many
// workers write at once, as pipe(7) promises for a shared pipe.
//
// # Reading
//
// Of what each worker writes the last 64 KiB are kept, also when it is gone; see
// [Mux.Recent]. [Mux.Follow] goes on from there. Who reads slowly loses lines,
// and is told how many; nobody waits for a reader.
//
// An idle worker costs its descriptors and some 200 bytes: buffers appear with
// the first byte. Nothing ticks, and there is no goroutine per worker.
//
// # Concurrency
//
// All methods of [Mux] and [Stream] may be called from any goroutine, none of
// them blocks but [Mux.Close].
package logs
