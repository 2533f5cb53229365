//go:build vm

package cgroup

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/poll"
)

// These tests run in a virtual machine, as root, in the root of a hierarchy that has every controller: see
// internal/testvm.

const (
	top      = "/sys/fs/cgroup"
	patience = 30 * time.Second // an emulated machine beside others
)

// everything is a limit of each kind.
func everything() Limits {
	return Limits{
		MemoryMax: 256 << 20, MemoryHigh: 128 << 20, MemoryLow: 8 << 20,
		CPUMax: 1500, CPUWeight: 200, IOWeight: 300, PidsMax: 50,
	}
}

// openTree opens a tree wherever this process is.
func openTree(t *testing.T, report func(error)) *Tree {
	t.Helper()
	poller, err := poll.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { poller.Close() })
	tree, err := Open(Options{Name: "vm", Poller: poller, Report: report})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tree.Close)
	return tree
}

// unexpected is a report that there should be none of.
func unexpected(t *testing.T) func(error) {
	return func(err error) { t.Errorf("reported: %v", err) }
}

// enter puts this process into a group of its own for the time of the test.
func enter(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(top, name)
	if err := errors.Join(os.Mkdir(dir, 0o755), write(dir, "cgroup.procs", strconv.Itoa(os.Getpid()))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(write(top, "cgroup.procs", strconv.Itoa(os.Getpid())), os.Remove(dir)); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// run starts a shell in a group that ends with the test, and gives what tells that the group is empty.
func run(t *testing.T, g *Group, script string) (emptied <-chan struct{}) {
	t.Helper()
	empty := make(chan struct{}, 64)
	fd, err := g.Make(func() { empty <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	cmd := exec.Command("sh", "-c", script)
	cmd.SysProcAttr = &unix.SysProcAttr{UseCgroupFD: true, CgroupFD: fd}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = g.Kill() // it may be gone
		_ = cmd.Wait()
		g.Remove()
	})
	return empty
}

// await looks again and again: most files of the kernel cannot be waited for.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("after %s still not: %s", patience, what)
		}
	}
}

func awaitEmpty(t *testing.T, emptied <-chan struct{}) {
	t.Helper()
	select {
	case <-emptied:
	case <-time.After(patience):
		t.Fatal("the group does not become empty")
	}
}

func holds(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	for file, value := range want {
		text, err := read(filepath.Join(dir, file))
		if got := strings.TrimSpace(text); got != value {
			t.Errorf("%s is %q (%v), want %q", file, got, err, value)
		}
	}
}

func TestVMLimitsAreWritten(t *testing.T) {
	for name, before := range map[string]func(*testing.T) string{
		"in the root":  func(*testing.T) string { return filepath.Join(top, "brood-vm") },
		"in a group":   func(t *testing.T) string { return enter(t, "ours") },
		"in a service": func(t *testing.T) string { return mark(t, enter(t, "ours.service")) },
	} {
		t.Run(name, func(t *testing.T) {
			base := before(t)
			tree := openTree(t, unexpected(t))
			if missing := tree.Missing(everything()); len(missing) != 0 {
				t.Fatalf("%v", missing)
			}
			g := tree.Group("web", "0-a-1", everything(), nil)
			run(t, g, "exec sleep 600")
			if want := filepath.Join(base, "pool-web", "0-a-1"); g.Dir() != want {
				t.Errorf("the group is %s, want %s", g.Dir(), want)
			}
			holds(t, g.Dir(), map[string]string{
				"memory.max": "268435456", "memory.high": "134217728", "memory.low": "8388608", "memory.oom.group": "1",
				"cpu.max": "150000 100000", "cpu.weight": "200", "io.weight": "default 300", "pids.max": "50",
			})
		})
		left, _ := filepath.Glob(top + "/*ours*")
		if others, _ := filepath.Glob(top + "/brood-*"); len(left)+len(others) != 0 {
			t.Errorf("%s: left behind: %q, %q", name, left, others)
		}
	}
}

// mark is what systemd does with Delegate=yes.
func mark(t *testing.T, dir string) string {
	t.Helper()
	if err := unix.Setxattr(dir, "trusted.delegate", []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestVMLeaf(t *testing.T) {
	dir := enter(t, "ours")
	tree := openTree(t, unexpected(t))
	holds(t, "/proc/self", map[string]string{"cgroup": "0::/ours/supervisor"})
	run(t, tree.Group("web", "0-a-1", Limits{PidsMax: 5}, nil), "exec sleep 600")
	if handed := listed(dir, "cgroup.subtree_control"); !slices.Contains(handed, "pids") || slices.Contains(handed, "io") {
		t.Errorf("handed down: %q", handed)
	}
	second := openTree(t, unexpected(t)) // as after an upgrade in place
	holds(t, "/proc/self", map[string]string{"cgroup": "0::/ours/supervisor"})
	run(t, second.Group("web", "1-a-1", Limits{PidsMax: 5}, nil), "exec sleep 600")
}

func TestVMMissingIsNamed(t *testing.T) {
	limited := Limits{MemoryMax: 64 << 20, IOWeight: 50}
	t.Run("a service that is systemd's", func(t *testing.T) {
		dir := enter(t, "ours.service")
		tree := openTree(t, nil)
		missing := tree.Missing(limited)
		if len(missing) != 2 || !strings.Contains(missing[0].Error(), "the memory controller: the group /ours.service is not delegated (Delegate=yes") {
			t.Errorf("%v", missing)
		}
		g := tree.Group("web", "0-a-1", limited, nil)
		emptied := run(t, g, "setsid sleep 600 & sleep 600")
		if handed := listed(dir, "cgroup.subtree_control"); len(handed) != 0 {
			t.Errorf("handed down: %q", handed)
		}
		if err := g.Kill(); err != nil {
			t.Error(err)
		}
		awaitEmpty(t, emptied)
	})
	t.Run("a group that others are in", func(t *testing.T) {
		dir := enter(t, "ours")
		other := exec.Command("sleep", "600")
		if err := errors.Join(other.Start(), write(dir, "cgroup.procs", strconv.Itoa(other.Process.Pid))); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { other.Process.Kill(); other.Wait() })
		missing := openTree(t, nil).Missing(limited)
		if len(missing) != 2 || !strings.Contains(missing[1].Error(), "the io controller: others are in the group /ours") {
			t.Errorf("%v", missing)
		}
	})
	t.Run("a controller that was not handed down", func(t *testing.T) {
		if err := write(top, "cgroup.subtree_control", "-io"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = write(top, "cgroup.subtree_control", "+io") })
		enter(t, "ours")
		tree := openTree(t, unexpected(t))
		missing := tree.Missing(limited)
		if len(missing) != 1 || missing[0].Error() != "missing: the io controller: the group /ours was not given it" {
			t.Errorf("%v", missing)
		}
		g := tree.Group("web", "0-a-1", limited, nil)
		run(t, g, "exec sleep 600")
		holds(t, g.Dir(), map[string]string{"memory.max": "67108864"})
	})
}

// TestVMOutOfMemory: who passes the limit dies, with all of its group, and nobody else does.
func TestVMOutOfMemory(t *testing.T) {
	tree := openTree(t, unexpected(t))
	limits := Limits{MemoryMax: 32 << 20}
	neighbour := tree.Group("web", "1-a-1", limits, nil)
	run(t, neighbour, "exec sleep 600")
	g := tree.Group("web", "0-a-1", limits, nil)
	awaitEmpty(t, run(t, g, "sleep 600 & dd if=/dev/zero of=/dev/null bs=64M count=1; exec sleep 600"))
	if u := g.OOM(); u.OOMs == 0 || u.Killed == 0 || u.Max == 0 || u.MemoryPeak < 30<<20 {
		t.Errorf("%+v", u)
	}
	if u, _ := neighbour.Usage(); u.Killed != 0 || u.OOMs != 0 || u.Pids != 1 || u.Memory == 0 {
		t.Errorf("the neighbour: %+v", u)
	}
}

func TestVMForkBomb(t *testing.T) {
	tree := openTree(t, unexpected(t))
	var hits atomic.Int32
	g := tree.Group("web", "0-a-1", Limits{PidsMax: 20}, func() { hits.Add(1) })
	emptied := run(t, g, "trap '' TERM; while :; do setsid sleep 600 & done 2>/dev/null")
	await(t, "the limit", func() bool { return hits.Load() != 0 })
	if u, _ := g.Usage(); u.Pids > 20 || u.PidsMax == 0 {
		t.Errorf("%+v", u)
	}
	begin := time.Now()
	if err := g.Kill(); err != nil {
		t.Fatal(err)
	}
	awaitEmpty(t, emptied)
	t.Logf("gone in %s", time.Since(begin))
	if n := hits.Load(); n != 1 {
		t.Errorf("told %d times", n)
	}
}

func TestVMThrottled(t *testing.T) {
	tree := openTree(t, unexpected(t))
	g := tree.Group("web", "0-a-1", Limits{CPUMax: 100}, nil)
	run(t, g, "while :; do :; done")
	await(t, "throttling", func() bool { return keyed(g.text("cpu.stat"), "nr_throttled") >= 3 })
	if u, _ := g.Usage(); u.CPU == 0 {
		t.Errorf("%+v", u)
	}
	await(t, "pressure of the CPU", func() bool {
		strain, err := tree.Pressure("web")
		return err == nil && strain.CPU.Some.Total > 0
	})
}

func TestVMMemoryPressure(t *testing.T) {
	tree := openTree(t, unexpected(t))
	g := tree.Group("web", "0-a-1", Limits{MemoryHigh: 8 << 20}, nil)
	run(t, g, "dd if=/dev/zero of=/dev/null bs=64M count=1")
	await(t, "pressure", func() bool {
		strain, err := tree.Pressure("web")
		return err == nil && strain.Memory.Some.Total > 0 && strain.Memory.Full.Total > 0
	})
	if u, _ := g.Usage(); u.High == 0 || u.Killed != 0 {
		t.Errorf("%+v", u)
	}
}

// TestVMWhoWasBefore: groups of a supervisor that was killed are swept, but for those that live on.
func TestVMWhoWasBefore(t *testing.T) {
	base := filepath.Join(enter(t, "ours"), "pool-web")
	alive := filepath.Join(base, "1-a-1")
	if err := errors.Join(os.MkdirAll(filepath.Join(base, "0-a-1", "inner"), 0o755), os.Mkdir(alive, 0o755)); err != nil {
		t.Fatal(err)
	}
	survivor := exec.Command("sleep", "600")
	if err := errors.Join(survivor.Start(), write(alive, "cgroup.procs", strconv.Itoa(survivor.Process.Pid))); err != nil {
		t.Fatal(err)
	}
	tree := openTree(t, unexpected(t))
	if left := tree.Left(); !slices.Equal(left, []string{alive}) {
		t.Errorf("left: %q", left)
	}
	g := tree.Group("web", "1-a-1", Limits{PidsMax: 5}, nil)
	run(t, g, "exec sleep 600")
	if want := fmt.Sprint(alive, "+2"); g.Dir() != want {
		t.Errorf("the new one is %s, want %s", g.Dir(), want)
	}
	survivor.Process.Kill()
	survivor.Wait()
}
