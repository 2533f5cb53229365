// Package listener opens the sockets of a pool, keeps them for its whole life,
// and decides which worker gets the next connection.
//
// # Promise
//
//   - The parent owns every socket. A worker gets a copy, so a connection that
//     waits in a queue survives the death and the replacement of the worker.
//   - A sharded listener has two SO_REUSEPORT sockets (shards) per slot, A and B,
//     so that an incumbent and its successor never share one. A classic BPF
//     program chosen by Steer sends new connections to the shards of ready
//     workers alone, and never to an index that is not there.
//   - Shards are opened in order and never closed before Set.Close: closing one
//     would renumber another. A shard that a worker shut down is revived, and the
//     program follows the new numbers.
//   - Connections that wait in a shard which nobody serves any more are accepted
//     here and relayed to a ready worker (Abandon).
//   - Open is all or nothing: when it fails, nothing of ours is open or left in
//     the file system. An address that somebody else listens on is an error, also
//     when the other socket has SO_REUSEPORT and belongs to the same user.
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
// # Concurrency
//
// All methods of Set and Listener may be called from any goroutine and never
// wait for the network, but for Dial. Options.Report may be called on any
// goroutine, and on the poller's; no lock is held while it runs.
package listener
