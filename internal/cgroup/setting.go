package cgroup

import (
	"fmt"
	"strconv"
)

// Controllers of the kernel that limits need.
const (
	ctlCPU    = "cpu"
	ctlIO     = "io"
	ctlMemory = "memory"
	ctlPids   = "pids"
)

// setting is a limit as the kernel's files have it.
type setting struct {
	word       string // of the configuration
	controller string
	file       string
	value      string
}

// settings are the limits that are said, in the order of the configuration's words.
func (l Limits) settings() []setting {
	var all []setting
	add := func(n uint64, word, controller, file, value string) {
		if n != 0 {
			all = append(all, setting{word, controller, file, value})
		}
	}
	add(l.MemoryMax, "memory_max", ctlMemory, "memory.max", amount(l.MemoryMax))
	add(l.MemoryHigh, "memory_high", ctlMemory, "memory.high", amount(l.MemoryHigh))
	add(l.MemoryLow, "memory_low", ctlMemory, "memory.low", amount(l.MemoryLow))
	add(l.CPUMax, "cpu_max", ctlCPU, "cpu.max", bandwidth(l.CPUMax))
	add(l.CPUWeight, "cpu_weight", ctlCPU, "cpu.weight", strconv.FormatUint(l.CPUWeight, 10))
	add(l.IOWeight, "io_weight", ctlIO, ioWeight, "default "+strconv.FormatUint(l.IOWeight, 10))
	add(l.PidsMax, "pids_max", ctlPids, "pids.max", amount(l.PidsMax))
	return all
}

// Words are those of the configuration for the limits that are said.
func (l Limits) Words() []string {
	var words []string
	for _, s := range l.settings() {
		words = append(words, s.word)
	}
	return words
}

func amount(n uint64) string {
	if n == Unlimited {
		return "max"
	}
	return strconv.FormatUint(n, 10)
}

const (
	period        = 100_000   // µs: the kernel's default
	longestPeriod = 1_000_000 // µs: what it takes at most
	leastQuota    = 1_000     // µs: what it takes at least
)

// bandwidth is "QUOTA PERIOD" in µs for thousandths of a CPU. Shares that are too small for the usual period get the
// longest, which is as small as the kernel can: a thousandth.
func bandwidth(thousandths uint64) string {
	if thousandths == Unlimited {
		return "max " + strconv.Itoa(period)
	}
	if quota := thousandths * (period / 1000); quota >= leastQuota {
		return fmt.Sprintf("%d %d", quota, period)
	}
	return fmt.Sprintf("%d %d", thousandths*(longestPeriod/1000), longestPeriod)
}

const (
	ioWeight  = "io.weight"     // of the scheduler iocost
	bfqWeight = "io.bfq.weight" // of the scheduler bfq, up to 1000
)

// forBFQ is the same setting for a kernel that shares I/O by the scheduler bfq, translated as systemd does it: both
// have 100 as their default.
func (s setting) forBFQ(weight uint64) setting {
	if weight > 100 {
		weight = 100 + (weight-100)*900/9900
	}
	s.file, s.value = bfqWeight, "default "+strconv.FormatUint(weight, 10)
	return s
}
