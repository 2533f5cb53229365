//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"testing"
)

// status, pool and worker are the contract that scripts rely on. They are declared
// again here, so that a change of it is noticed.
type status struct {
	Name  string `json:"name"`
	PID   int    `json:"pid"`
	State string `json:"state"`
	Pools []pool `json:"pools"`

	Config struct {
		Reloads  int `json:"reloads"`
		Failures int `json:"reload_failures"`
		Reload   *struct {
			State string `json:"state"`
			Error string `json:"error"`
		} `json:"reload"`
	} `json:"config"`
}

type pool struct {
	Name       string   `json:"name"`
	Phase      string   `json:"phase"`
	Unmet      []string `json:"unmet"`
	Generation int      `json:"generation"`
	Desired    int      `json:"desired"`
	Ready      int      `json:"ready"`
	Restarts   int      `json:"restarts"`
	Repairs    repairs  `json:"repairs"`
	Workers    []worker `json:"workers"`
	Listeners  []struct {
		Name    string `json:"name"`
		Address string `json:"address"`
		Mode    string `json:"mode"`
		Queue   *queue `json:"queue"`
	} `json:"listeners"`
}

type repairs struct {
	Revived  int `json:"revived"`
	Nonblock int `json:"nonblock"`
	Backlog  int `json:"backlog"`
}

type worker struct {
	Slot       int    `json:"slot"`
	WorkerID   int    `json:"worker_id"`
	PID        int    `json:"pid"`
	State      string `json:"state"`
	Ready      bool   `json:"ready"`
	Generation int    `json:"generation"`
	LastExit   string `json:"last_exit"`
	Leader     bool   `json:"leader"`

	Usage *struct {
		Memory uint64  `json:"memory_bytes"`
		CPU    float64 `json:"cpu_seconds"`
		Pids   int     `json:"pids"`
		FDs    int     `json:"fds"`
	} `json:"usage"`
	Queue       *queue `json:"queue"`
	Connections *int   `json:"connections"`
}

type queue struct {
	Depth    int `json:"depth"`
	Capacity int `json:"capacity"`
	Drops    int `json:"drops"`
}

func (b *brood) status() status {
	b.t.Helper()
	return parseStatus(b.t, b.must("status", "--output", "json"))
}

func parseStatus(t *testing.T, text string) status {
	t.Helper()
	var s status
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatalf("cannot read status: %v\n%s", err, text)
	}
	return s
}

// pool is the only one of a brood from flags.
func (b *brood) pool() pool {
	b.t.Helper()
	return onlyPool(b.t, b.must("status", "--output", "json"))
}

func onlyPool(t *testing.T, text string) pool {
	t.Helper()
	s := parseStatus(t, text)
	if len(s.Pools) != 1 || s.Name != "web" || s.PID == 0 {
		t.Fatalf("want one pool of a supervisor called web:\n%s", text)
	}
	return s.Pools[0]
}

// named is a pool by its name; the zero value if there is none.
func (s status) named(name string) pool {
	for _, p := range s.Pools {
		if p.Name == name {
			return p
		}
	}
	return pool{}
}

// pids are those of the workers of a pool, slot by slot.
func (p pool) pids() []int {
	var pids []int
	for _, w := range p.Workers {
		pids = append(pids, w.PID)
	}
	return pids
}

// whole tells whether a pool has exactly its ready workers and nothing else.
func (p pool) whole() bool {
	ready := 0
	for _, w := range p.Workers {
		if w.Ready {
			ready++
		}
	}
	return p.Ready == p.Desired && ready == p.Desired && len(p.Workers) == p.Desired
}

func (p pool) String() string {
	return fmt.Sprintf("%d of %d ready: %+v", p.Ready, p.Desired, p.Workers)
}
