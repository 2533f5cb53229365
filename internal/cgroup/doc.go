// Package cgroup gives each worker a control group of version 2 of its own, where brood was given a subtree to manage:
// by Delegate=yes of systemd.resource-control(5), or by being root.
//
// The contract is the kernel's document Documentation/admin-guide/cgroup-v2.rst, and systemd's "Control Group APIs and
// Delegation" for whose a group is.
//
// # Layout
//
//	OWN               the group that we were started in
//	OWN/supervisor    we ourselves: a group with processes cannot hand its controllers down
//	OWN/pool-web      a pool; what it uses altogether, and its pressure
//	OWN/pool-web/0-a-1  one worker
//
// Where the group is not ours alone, all but the supervisor is below OWN/brood-NAME. There, nobody is moved and no
// controller is handed down that is not handed down already: groups without limits are still killed as one, and still
// tell when they are empty.
//
// # Concurrency
//
// A [Tree] and its groups may be used from any goroutine. Calls that write take the kernel's lock of all control groups
// and may wait some milliseconds for it: they belong beside a loop that must not block.
package cgroup
