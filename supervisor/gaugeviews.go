package supervisor

// UsageView is what a worker uses: by its control group where that tells, else by its processes. What is not to be had is 0.
type UsageView struct {
	Memory     uint64  `json:"memory_bytes,omitempty"`      // of its group with the files that it caches, or resident
	MemoryPeak uint64  `json:"memory_peak_bytes,omitempty"` // of its group
	CPU        float64 `json:"cpu_seconds"`
	Pids       uint64  `json:"pids,omitempty"` // processes
	FDs        uint64  `json:"fds,omitempty"`  // open descriptors of them all
}

// QueueView is what waits to be accepted in one socket or in several.
type QueueView struct {
	Depth    uint64 `json:"depth"`
	Capacity uint64 `json:"capacity"`
	Drops    uint64 `json:"drops"` // packets that asked for a connection in vain since the sockets were opened
}

// PressureView says for how much of the time workers of a pool waited for memory or a CPU.
type PressureView struct {
	Memory ShareView `json:"memory"`
	CPU    ShareView `json:"cpu"`
}

// ShareView is in percent: some of the processes waited, or all of them.
type ShareView struct {
	Some10 float64 `json:"some_avg10"`
	Some60 float64 `json:"some_avg60"`
	Full10 float64 `json:"full_avg10"`
	Full60 float64 `json:"full_avg60"`
}
