// Package testetcd runs a real etcd for tests: one member or several, on the loopback, with data that goes with the test.
//
// [Start] returns when all members say that they are ready, by the protocol of sd_notify. Members can be killed and
// started again on the same ports with what they had written. The program is Debian's package etcd-server. A [Way] is a
// network between a client and a member that can be cut.
//
// Promise: no member outlives the test, nor the test binary: each is killed when the thread that started it ends.
//
// Concurrency: members may be killed and started from any goroutine, each by one at a time.
package testetcd
