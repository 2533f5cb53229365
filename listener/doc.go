// Package listener opens the sockets of a supervisor's pools, keeps them as long as
// they are wanted, and decides which worker gets the next connection.
//
// # Promise
//
//   - The parent owns every socket. A worker gets a copy, so a connection that
//     waits in a queue survives the death and the replacement of the worker.
//
//   - A sharded listener has two SO_REUSEPORT sockets (shards) per slot, A and B,
//     so that an incumbent and its successor never share one. A classic BPF
//     program chosen by Steer sends new connections to the shards of ready
//     workers alone, and never to an index that is not there.
//
//   - Shards are opened in order and never closed before the whole listener:
//     closing one would renumber another. A shard that a worker shut down is
//     revived, and the program follows the new numbers.
//
//   - Connections that wait in a shard which nobody serves any more are accepted
//     here and relayed to a ready worker (Abandon).
//
//   - Listeners of a Set come and go without touching each other's traffic. Open
//     is all or nothing: when it fails, nothing of ours is open or left in the file
//     system. An address that somebody else listens on is an error, also when the
//     other socket has SO_REUSEPORT and belongs to the same user.
//
//   - A listener that is not wanted any more can be emptied before it is closed:
//     after Pause no connection comes, and those that are there stay.
//
//   - A socket of the service manager's is given back as it came: by Close to the
//     Set, for the next one who wants it.
//
//   - A Set can move to another process, by exec(2) or by passing descriptors, with all
//     queues, the steering and the relays: see Hand and Restore. What a process left that
//     has died is taken up again, with what waits in it: see Reclaim.
//
// # Lanes
//
// On a sharded TCP listener some sources reach one shard alone, so that a probe
// can test one worker on the address that all share:
//
//	source                          reaches
//	127.77.(K>>8).(K&255)           the ready worker of slot K, if there is one
//	127.78.(i>>8).(i&255)           the shard with group index i (Dial uses it)
//	::1, source port 20000+i        the shard with group index i
//
// The kernel drops packets with such sources that come from outside. The lanes
// of slots are left out when the program would otherwise be too long, which
// takes several hundred slots with A and B shards mixed.
//
// Whoever uses a Set by itself brings a Poller, which waits for descriptors;
// package supervisor/host has one, and makes the Set of a supervisor.
//
// # Concurrency
//
// All methods of Set and Listener may be called from any goroutine. None waits for
// the network, but for Dial, and for Open where systemd gives several sockets of
// one address, whose order it finds out by connecting to them. Open, Grow and Close
// of one Set wait for each other; whatever else a listener does goes on meanwhile.
// Options.Report may be called on any goroutine, and on the poller's; no lock is
// held while it runs.
package listener
