package config

import (
	"strconv"
	"strings"

	"github.com/broodctl/brood/worker"
)

// Nice is a nice value of setpriority(2).
type Nice int

func (*Nice) bounds() (least, most int64) { return -20, 19 }

// OOMScore is an adjustment as of proc_pid_oom_score_adj(5).
type OOMScore int

func (*OOMScore) bounds() (least, most int64) { return -1000, 1000 }

// parseIOPriority reads what worker.IOPriority writes.
func parseIOPriority(word string) (worker.IOPriority, error) {
	if word == "idle" {
		return worker.IOPriority{Class: worker.IOIdle}, nil
	}
	name, level, _ := strings.Cut(word, ":")
	class, ok := map[string]worker.IOClass{"best-effort": worker.IOBestEffort, "realtime": worker.IORealtime}[name]
	n, err := strconv.Atoi(level)
	if !ok || err != nil || !digits(level) || n > 7 {
		return worker.IOPriority{}, errIOPrio
	}
	return worker.IOPriority{Class: class, Level: n}, nil
}
