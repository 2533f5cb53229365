// Package logs takes what workers write, keeps the end of it for who asks, and
// puts it where its pool wants it.
//
// # Promise
//
// No worker waits for a log unless its [Settings] have Backpressure. At most 4 MiB
// wait for each destination, and 64 MiB for all; what comes on top of that is
// dropped, in whole lines, counted for its slot (see [Mux.Stats]) and reported:
// when it begins, once a minute while more is lost, and when lines arrive again.
// Silence is not taken for an end. With back-pressure brood stops reading the
// pipes of the workers that write as soon as 128 KiB wait behind what is being
// written, so that they feel the same as with an inherited descriptor, and goes on
// when it is the turn of these.
//
// In mode Tail brood does not change a byte that a worker wrote, but for the end of
// a line of which the rest was refused. In all others but
// Inherit it cuts whole lines of what it reads, of at most 64 KiB, and no line is
// mixed with another worker's. What is written to one place by one worker keeps
// its order.
//
// What our own stdout and stderr refuse (EPIPE, ENOSPC and the like) is dropped: a
// worker must not die of SIGPIPE because the supervisor's log has nowhere to go.
// For files and journald it is tried again until it goes: a disk that is full, a
// directory that was removed, and a journald that restarts cost only what does not
// fit the queue meanwhile.
//
// Descriptors 1 and 2 are never switched to O_NONBLOCK. That flag belongs to the
// open file description and would change it for the shell and for every worker
// that inherited it. Blocking writes happen on a goroutine per destination,
// which first asks poll(2) and then writes at most PIPE_BUF bytes, or as many as
// an empty pipe holds. Whole batches go to regular files.
//
// One read takes all that a pipe of the default size holds, so in mode Tail
// writes of up to PIPE_BUF bytes (4096) stay whole and in order even when many
// workers write at once, as pipe(7) promises for a shared pipe.
//
// # Reading
//
// Of what each worker writes the last 64 KiB are kept, also when it is gone, until
// those that are gone have 64 MiB; see
// [Mux.Kept]. [Mux.Follow] goes on from there. A reader has little in hand and
// fetches more when it has time: who reads slowly loses lines, and is told how
// many; nobody waits for a reader.
//
// # Another program
//
// The program can be replaced in its process while workers write: [Mux.Freeze] tells everything, [Restore] makes a Mux of it in
// the next program, which adopts the streams of the workers that run on. Pipes and log files that are open stay what they were, what was
// queued is written first, and nothing is lost, written twice or torn. Positions, numbers of lines and counters go on. If there is
// no next program, [Mux.Thaw] goes on.
//
// # Cost
//
// An idle worker costs its descriptors and a kilobyte: buffers appear with
// the first byte. Nothing ticks while all is well, there is no goroutine per worker, and a
// destination has one only while something waits for it. Passing on a line
// allocates nothing.
//
// # Concurrency
//
// All methods of [Mux] and [Stream] may be called from any goroutine, none of
// them blocks but [Mux.Close] and [Mux.Freeze].
package logs
