//go:build e2e && vm

package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestVMDaemon: a worker that has left its session, its process group and its parent is still its slot's, and goes with
// it: when the slot gets another worker, and when brood ends.
func TestVMDaemon(t *testing.T) {
	c := newCell(t)
	b := c.launch(web("1").with("pool.web.command", shell(`(setsid setsid sleep 600 &); exec "$0" testguest http`)))
	if own := membership(t, b.cmd.Process.Pid); own != filepath.Base(c.dir)+"/supervisor" {
		t.Errorf("brood is in the group %s, and not in a leaf", own)
	}
	before := c.daemons("web")
	b.must("roll", "--wait")
	b.await("the end of the first daemon", func() bool { return !slices.ContainsFunc(before, alive) })
	after := c.daemons("web")
	b.stop()
	if slices.ContainsFunc(after, alive) {
		t.Errorf("of %d some outlive brood", after)
	}
}

// TestVMRoot: a program of process 1 is in the root, like others. Brood stays there, and its groups are below one of its own.
func TestVMRoot(t *testing.T) {
	c := cell{t: t, dir: "/sys/fs/cgroup/brood-web"}
	b := launch(t, options{
		flags: []string{"-n", "2", "-l", "http=" + address(webPort)}, command: []string{guestBin(), "testguest", "http"},
	})
	if own := membership(t, b.cmd.Process.Pid); own != "" {
		t.Errorf("brood is in the group %s", own)
	}
	if pids := members(t, c.group("web", 1)); !slices.Equal(pids, b.pool().pids()[1:]) {
		t.Errorf("in the group of the second worker are %d", pids)
	}
	b.stop()
	if _, err := os.Stat(c.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("brood left its group behind: %v", err)
	}
}

// TestVMKilled: what a brood that was killed left behind is removed by the next one.
func TestVMKilled(t *testing.T) {
	c := newCell(t)
	first := c.launch(web("2"))
	group := c.group("web", 0)
	var ends []func()
	for _, pid := range first.status().named("web").pids() {
		ends = append(ends, watchEnd(t, pid))
	}
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	first.code()
	for _, end := range ends {
		end()
	}
	if _, err := os.Stat(group); err != nil {
		t.Error(err) // else the next one had nothing to do
	}
	// The kernel lets nobody into a group with controllers to hand down: who starts brood again puts it into the leaf, as
	// DelegateSubgroup=supervisor of systemd does, or has removed all.
	leaf := cell{t: t, dir: filepath.Join(c.dir, "supervisor")}
	second := leaf.launch(web("1"))
	if now := c.group("web", 0); !slices.Equal(members(t, now), second.status().named("web").pids()) {
		t.Errorf("in the group %s are %d", now, members(t, now))
	}
	second.stop()
	if err := os.Remove(leaf.dir); err != nil {
		t.Error(err)
	}
}

// daemons are the processes of the first slot, of which at least two have left.
func (c cell) daemons(pool string) []int {
	c.t.Helper()
	all := members(c.t, c.group(pool, 0))
	if len(all) < 2 {
		c.t.Errorf("the group of the worker has only %d", all)
	}
	return all
}

// membership is the group of a process, without the leading slash.
func membership(t *testing.T, pid int) string {
	t.Helper()
	return strings.TrimPrefix(strings.TrimSpace(read(t, fmt.Sprintf("/proc/%d/cgroup", pid))), "0::/")
}

// TestVMWithoutDelegation: what is missing is said once, by name, and the workers serve without it.
func TestVMWithoutDelegation(t *testing.T) {
	limited := web("2").with("pool.web.limits.memory_max", `"64M"`, "pool.web.limits.io_weight", "50")
	for name, story := range map[string]struct {
		missing string
		user    bool
		prepare func(*testing.T, cell)
	}{
		"no right to make groups": {missing: "delegation of the group", user: true},
		"no controller of io": {missing: "the io controller", prepare: func(t *testing.T, _ cell) {
			const file = "/sys/fs/cgroup/cgroup.subtree_control"
			write := func(text string) {
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			write("-io")
			t.Cleanup(func() { write("+io") })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCell(t)
			if story.prepare != nil {
				story.prepare(t, c)
			}
			o := options{file: c.file(limited), attr: c.attr()}
			if story.user {
				o.uid = nobody
				o.attr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
			}
			b := launch(t, o)
			said := b.logged(func(e entry) bool { return strings.Contains(e.line, story.missing) })
			if len(said) != 1 || said[0].Level != "warn" {
				t.Errorf("%q is said %d times: %+v", story.missing, len(said), said)
			}
			load := startLoad(t, address(webPort), nil)
			if err := load.Await(t.Context(), 50); err != nil {
				t.Error(err)
			}
			if result := load.Stop(); result.Failed() != 0 {
				t.Errorf("%s", &result)
			}
			b.must("roll", "--wait") // new workers are no news
			if again := b.logged(func(e entry) bool { return strings.Contains(e.line, story.missing) }); len(again) != 1 {
				t.Errorf("said again: %+v", again)
			}
			b.stop()
		})
	}
}
