package cgroup

import (
	"path/filepath"
	"slices"
	"time"
)

// Usage is what a group uses and has used. Without a controller, its figures are 0.
type Usage struct {
	Memory     uint64 // bytes now, with the page cache that is charged to the group
	MemoryPeak uint64 // bytes; 0 before Linux 5.19
	CPU        time.Duration
	Pids       uint64 // processes and threads now

	High    uint64 // how often it was slowed down for being above MemoryHigh
	Max     uint64 // how often memory had to be found to stay below MemoryMax
	OOMs    uint64 // how often none could be found
	Killed  uint64 // processes that the kernel killed because of that, or for the want of others
	PidsMax uint64 // how often PidsMax kept a process from being made
}

// Usage reads it: a file or two for each controller. It reports false if the group is not there.
func (g *Group) Usage() (Usage, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var u Usage
	if g.events < 0 {
		return u, false
	}
	stat := g.text("cpu.stat") // every group has it
	if stat == "" {
		return u, false
	}
	u.CPU = cpuOf(stat)
	if slices.Contains(g.has, ctlMemory) {
		u.Memory = single(g.text("memory.current"))
		g.memoryLocked(&u)
	}
	if slices.Contains(g.has, ctlPids) {
		u.Pids = single(g.text("pids.current"))
		u.PidsMax = keyed(g.text("pids.events"), "max")
	}
	return u, true
}

// CPU reads that of Usage alone, which is one file. 0 is unknown.
func (g *Group) CPU() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.events < 0 {
		return 0
	}
	return cpuOf(g.text("cpu.stat"))
}

func cpuOf(stat string) time.Duration {
	return time.Duration(keyed(stat, "usage_usec")) * time.Microsecond
}

// OOM reads only what is of interest when a worker has been killed: the figures of its memory that are not of now.
func (g *Group) OOM() Usage {
	g.mu.Lock()
	defer g.mu.Unlock()
	var u Usage
	if g.events >= 0 && slices.Contains(g.has, ctlMemory) {
		g.memoryLocked(&u)
	}
	return u
}

func (g *Group) memoryLocked(u *Usage) {
	events := g.text("memory.events")
	u.MemoryPeak = single(g.text("memory.peak"))
	u.High, u.Max = keyed(events, "high"), keyed(events, "max")
	u.OOMs, u.Killed = keyed(events, "oom"), keyed(events, "oom_kill")
}

// Limits are those that were asked for.
func (g *Group) Limits() Limits { return g.limits }

// Dir is the directory of the group; "" before Make.
func (g *Group) Dir() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.dir
}

func (g *Group) text(file string) string {
	text, _ := read(filepath.Join(g.dir, file))
	return text
}
