package cgroup

import "math"

// Unlimited stands for the kernel's word max.
const Unlimited = math.MaxUint64

// Limits are what a group may use, as "Interface Files" of the kernel's cgroup-v2 document has them. What is 0 is not
// written, and stays as the kernel made it.
type Limits struct {
	MemoryMax  uint64 // bytes; beyond it the kernel kills
	MemoryHigh uint64 // bytes; beyond it the kernel reclaims and slows down
	MemoryLow  uint64 // bytes that are not reclaimed while others have more than theirs
	CPUMax     uint64 // thousandths of a CPU
	CPUWeight  uint64 // 1 to 10000, 100 is the kernel's default
	IOWeight   uint64 // 1 to 10000, 100 is the kernel's default
	PidsMax    uint64 // processes and threads
}
