// Package testvm gives tests a virtual machine with a kernel of its own, for what this machine's kernel cannot show: all
// controllers on control groups of version 2, limits of memory that kill, pressure.
//
// [Boot] starts Debian's kernel under qemu with nothing but busybox and the caller's programs in memory, in two to four
// seconds; [Machine.Run] runs a command in it. Nobody there is anybody's neighbour: whatever a test does to it goes with it.
// KVM is used where the processor has it and it answers, emulation otherwise; then programs take five to ten times as long.
//
// The protocol is as small as can be. The machine has two serial lines: the kernel writes to the first, and the second
// is a pipe to the test. A line to it is a command for the shell; what the command writes comes back, and at last its
// exit code.
//
// Promise: nothing stays behind, neither process nor file: not after a failed test, not after a panic, and not after a
// kill -9 of the test binary. What qemu reads and writes has no name, and the kernel kills it with its parent.
//
// Concurrency: machines are independent of each other; one machine runs one command at a time.
package testvm
