package events

import "slices"

// States are all that an event may have as its state, without order. A test of the supervisor compares them with its own.
func States() []string {
	worker := []string{
		"waiting", "finished", "starting", "proving", "ready", "unready", "failing", "settling", "retiring", "draining", "tracing",
		"reaping", "killed", Gone,
	}
	others := []string{
		"degraded", "stopping", "preparing", "exited", // pools, the supervisor
		"rolling", "reverting", "done", "failed", "applying", // rollouts, reloads
	}
	return slices.Concat(worker, others)
}

// Gone is the state of that of which nothing is left.
const Gone = "gone"

// Causes are those of deaths, without order; see docs/api.md. A test of the supervisor compares them with its own.
func Causes() []string {
	return []string{
		"never_execed", "never_ready", "died_young", "died", "oom", "watchdog", "hang", "probe", "reload_signal", "dump_signal",
		"recycled", "stopped", "killed_late", "finished",
	}
}
