package testguest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/worker/handshake"
)

// Facts is the body of a guest's answer to any path but /facts.
type Facts struct {
	loadgen.Worker
	Pool     string `json:"pool"`
	Workers  int    `json:"workers"`
	Listener string `json:"listener"` // the name of the socket that the request came by
	Served   uint64 `json:"served"`   // requests of this process so far, this one included
}

// World is the body of the answer to /facts: all that a worker finds.
type World struct {
	Facts
	Argv   []string          `json:"argv"`
	Dir    string            `json:"dir"`
	Env    map[string]string `json:"env"`
	FDs    map[int]string    `json:"fds"`    // as readlink of /proc/self/fd shows them; the listing's own left out
	Status map[string]string `json:"status"` // /proc/self/status
}

func number(name string) int {
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		return -1
	}
	return n
}

func facts() Facts {
	return Facts{
		Worker: loadgen.Worker{
			Slot: number(handshake.EnvSlot), ID: number(handshake.EnvWorkerID),
			PID: os.Getpid(), Generation: number(handshake.EnvGeneration),
		},
		Pool:    os.Getenv(handshake.EnvPool),
		Workers: number(handshake.EnvWorkers),
	}
}

func world(f Facts) World {
	w := World{Facts: f, Argv: os.Args, Env: make(map[string]string), FDs: make(map[int]string), Status: make(map[string]string)}
	w.Dir, _ = os.Getwd() // a removed directory shows as an empty one
	for _, v := range os.Environ() {
		name, value, _ := strings.Cut(v, "=")
		w.Env[name] = value
	}
	entries, _ := filepath.Glob("/proc/self/fd/*")
	for _, path := range entries {
		target, err := os.Readlink(path)
		fd, notNumber := strconv.Atoi(filepath.Base(path))
		if err == nil && notNumber == nil {
			w.FDs[fd] = target
		}
	}
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		w.Status[name] = strings.TrimSpace(value)
	}
	return w
}
