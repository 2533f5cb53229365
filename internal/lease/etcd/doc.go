// Package etcd is a store of places in etcd, by its own client: places for a fleet of supervisors.
//
//	/brood/NAME/0000012/live   the holder's value; attached to the etcd lease of its session
//	/brood/NAME/0000012/mark   who has the place and in which session; its revision is the fence
//	/brood/NAME/memo           a memo, which belongs to no lease
//
// All rules are those of internal/lease/remote. Everything that is written is a transaction on the revision of the mark.
//
// # Promise
//
//   - One connection, one lease and one stream of renewals per engine. A stream for watches while somebody waits.
//   - [New] needs nobody to answer: an engine exists also while etcd does not, and begins a session when it can.
//   - A member that has lost its leader is left for another one. Tokens that expired are asked for again, certificates
//     are read from their files at each handshake.
//   - The client logs nothing: what fails is an error of the call that it failed for.
//   - After Close no goroutine is left.
//
// # What it needs
//
// etcd 3.4 or later, authentication with a role that may read and write below the prefix. Where etcd loses what it had
// promised, by a restore of an old backup for example, fences may be given again.
//
// It costs brood 4.4 MB and 2 ms at its start; no package of it takes more than 0.2 ms to initialise.
//
// # Concurrency
//
// As in package lease.
package etcd
