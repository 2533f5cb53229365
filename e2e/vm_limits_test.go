//go:build e2e && vm

package e2e

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
)

const (
	webPort = 8080
	clients = 4
)

// shell is the command of a worker: a script, which finds the guests as "$0".
func shell(script string) string { return list("sh", "-c", script, guestBin()) }

// web is a pool that behaves.
func web(workers string) keys {
	return guestPool("web", webPort, "http").with("pool.web.workers", workers)
}

// TestVMOutOfMemory: one worker of three takes memory without end. The kernel kills it and nobody else, the note about its
// death says of what, and a successor serves; the others have served all the while.
func TestVMOutOfMemory(t *testing.T) {
	c := newCell(t)
	once := filepath.Join(scratch(t, 0), "once")
	b := c.launch(web("3").with(
		"pool.web.command", shell(`[ $BROOD_SLOT = 1 ] && mkdir `+once+` && exec "$0" testguest leak -rate 25 -limit 200; exec "$0" testguest http`),
		"pool.web.limits.memory_max", `"64M"`,
	))
	load := startLoad(t, address(webPort), func(cfg *loadgen.Config) { cfg.Clients = clients })
	b.await("the death of the one that leaks", func() bool { return len(b.deaths("oom")) > 0 })
	b.awaitWhole()
	soFar := load.Snapshot()
	if err := load.Await(t.Context(), soFar.OK()+60); err != nil {
		t.Error(err)
	}
	result := load.Stop()

	// Out of the log: on a slow machine it may have died before all were ready.
	started := map[int][]int{}
	for _, e := range b.logged(func(e entry) bool { return e.Message == "worker started" }) {
		started[e.Slot] = append(started[e.Slot], e.PID)
	}
	if len(started[0]) != 1 || len(started[1]) != 2 || len(started[2]) != 1 {
		t.Fatalf("processes of the slots: %v; only the second was to have two", started)
	}
	leaker := started[1][0]
	if deaths := b.logged(func(e entry) bool { return e.Message == "worker died" }); len(deaths) != 1 || deaths[0].Slot != 1 || deaths[0].PID != leaker {
		t.Errorf("who died: %+v", deaths)
	}
	b.await("the status to say what they use", func() bool { // reading it has its bounds
		a := b.accounts("web")
		return a.Deaths["oom"] == 1 && len(a.Workers) == 3 && a.Workers[0].Usage.Memory > 0 && a.Workers[0].Usage.Pids > 0 && a.Workers[0].Usage.CPU > 0
	})
	served := result.PIDs()
	for slot, pid := range b.status().named("web").pids() {
		if served[pid] == 0 {
			t.Errorf("the worker of slot %d served nothing: %v", slot, served)
		}
	}
	// Each client has one request in hand at most, and it is lost if it was with the dead.
	if result.Failed() > clients {
		t.Errorf("%s", &result)
	}
	t.Logf("%d served by the dead, %d in all, %d failed", served[leaker], result.OK(), result.Failed())
	b.stop()
}

// TestVMForkBomb: a worker that starts children without end, which would outlive it, is stopped by its limit, and its
// end is theirs; neighbours and brood live on.
func TestVMForkBomb(t *testing.T) {
	c := newCell(t)
	b := c.launch(together(web("2"), keys{
		"pool.bomb.command":         list(guestBin(), "testguest", "forkbomb", "-free"),
		"pool.bomb.workers":         "1",
		"pool.bomb.ready":           `"notify"`,
		"pool.bomb.limits.pids_max": "40",
		"pool.bomb.restart.backoff": `"10ms"`,
		"pool.bomb.stop.grace":      `"1s"`, // its children do not hear of the end
	}))
	before := b.status()
	load := startLoad(t, address(webPort), nil)
	b.await("a word about the limit", func() bool {
		return len(b.logged(func(e entry) bool {
			return e.Pool == "bomb" && strings.Contains(e.Message, "more processes than it may have")
		})) > 0
	})
	group := c.group("bomb", 0)
	children := members(t, group)
	if len(children) < 10 || len(children) > 40 {
		t.Errorf("%d processes under a limit of 40", len(children))
	}
	leader := before.named("bomb").pids()[0]
	begin := time.Now()
	if err := syscall.Kill(leader, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	b.await("the end of its children", func() bool { return !slices.ContainsFunc(children, alive) })
	t.Logf("%d processes gone %s after their leader", len(children), time.Since(begin).Round(time.Millisecond))
	b.await("a successor", func() bool {
		bomb := b.status().named("bomb")
		return bomb.whole() && bomb.pids()[0] != leader
	})
	if now := b.status().named("web").pids(); !slices.Equal(now, before.named("web").pids()) {
		t.Errorf("the neighbours were %d and are %d", before.named("web").pids(), now)
	}
	if result := load.Stop(); result.Failed() != 0 || result.OK() == 0 {
		t.Errorf("%s", &result)
	}
	b.stop()
}

// TestVMLimitsHold: the kernel has what the file says, and slows down who would have more.
func TestVMLimitsHold(t *testing.T) {
	c := newCell(t)
	b := c.launch(keys{
		"pool.busy.command": shell("while :; do :; done"), "pool.busy.workers": "1", "pool.busy.ready": `"delay:1ms"`,
		"pool.busy.limits.memory_max": `"64M"`, "pool.busy.limits.memory_high": `"32M"`, "pool.busy.limits.memory_low": `"8M"`,
		"pool.busy.limits.cpu_max": `"20%"`, "pool.busy.limits.cpu_weight": "50", "pool.busy.limits.io_weight": "200",
		"pool.busy.limits.pids_max": "10",

		"pool.stall.command": shell("dd if=/dev/zero of=/dev/null bs=64M count=1; exec sleep 600"), "pool.stall.workers": "1", "pool.stall.ready": `"delay:1ms"`,
		"pool.stall.limits.memory_high": `"4M"`,
	})
	for file, want := range map[string]string{
		"memory.max": "67108864", "memory.high": "33554432", "memory.low": "8388608",
		"cpu.max": "20000 100000", "cpu.weight": "50", "io.weight": "default 200", "pids.max": "10",
	} {
		if got := strings.TrimSpace(read(t, filepath.Join(c.group("busy", 0), file))); got != want {
			t.Errorf("%s is %q, want %q", file, got, want)
		}
	}
	b.await("throttling", func() bool { return value(t, c.group("busy", 0), "cpu.stat", "nr_throttled") > 0 })
	b.await("pressure in the status", func() bool {
		return b.accounts("stall").Pressure.Memory.Some > 0 && b.accounts("busy").Pressure.CPU.Some > 0
	})
	b.stop()
}

// strain is what a pool waits for, as the status says it: in percent.
type strain struct {
	Memory, CPU struct {
		Some float64 `json:"some_avg10"`
	}
}

// accounts are what the status says of the control groups of a pool.
type accounts struct {
	Name     string         `json:"name"`
	Deaths   map[string]int `json:"deaths"`
	Pressure strain         `json:"pressure"`
	Workers  []struct {
		Usage struct {
			Memory int     `json:"memory_bytes"`
			CPU    float64 `json:"cpu_seconds"`
			Pids   int     `json:"pids"`
		} `json:"usage"`
	} `json:"workers"`
}

func (b *brood) accounts(pool string) accounts {
	b.t.Helper()
	var s struct {
		Pools []accounts `json:"pools"`
	}
	if err := json.Unmarshal([]byte(b.must("status", "--output", "json")), &s); err != nil {
		b.t.Fatal(err)
	}
	for _, p := range s.Pools {
		if p.Name == pool {
			return p
		}
	}
	return accounts{}
}
