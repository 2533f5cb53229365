// Package testhost gives tests a machine of their own: a booted systemd, or two
// network namespaces joined by a cable.
//
// [Boot] starts the real systemd as process 1 of fresh namespaces, on an overlay
// of this machine's own root, in a third of a second. [Wire] makes network
// namespaces. Both need root. [Need] says what a test needs: where it is missing
// the test is skipped, and with CI=true it fails, so that nothing is ever left
// untested in silence.
//
// Promise: nothing stays behind, neither process, mount, cgroup nor network
// namespace: not after a failed test, not after a panic, and not after a kill -9
// of the test binary. Mounts and networks live only in namespaces that no file
// pins, so that they go with the last process; the processes and the cgroup are
// removed by a script that waits for the end of a pipe which the test holds.
//
// Concurrency: hosts and namespaces are independent of each other; the methods of
// one may be called from any goroutine.
package testhost
