//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/broodctl/brood/internal/testguest"
	"github.com/broodctl/brood/internal/testhost"
)

// anyNumber is more processes than there will ever be.
const anyNumber = math.MaxInt

// TestWorkersThatLeave: the process that was started ends at once, and what serves is
// a child of it. Such a worker has ended; what it left does not pile up, and brood
// goes on slowly and says that it is degraded.
func TestWorkersThatLeave(t *testing.T) {
	t.Parallel()
	t.Run("in their process group", func(t *testing.T) {
		m, mark := launchLeaving(t, "leaver", nil, nil)
		m.diesAgainAndAgain(t, mark, 4)
	})
	t.Run("as daemons", func(t *testing.T) {
		m, mark := launchLeaving(t, "daemon", nil, nil)
		if m.hasGroups() {
			m.diesAgainAndAgain(t, mark, 4)
			return
		}
		m.diesAgainAndAgain(t, mark, anyNumber)
	})
	t.Run("as daemons, without control groups", func(t *testing.T) {
		testhost.Need(t, testhost.Root)
		m, mark := launchLeaving(t, "daemon", &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}, func(ctx context.Context, argv ...string) *exec.Cmd {
			const hide = `mount --make-rprivate / && umount -a -l -t cgroup2 && exec "$@"`
			return here(ctx, append([]string{"sh", "-c", hide, "host"}, argv...)...)
		})
		if m.hasGroups() {
			t.Error("there are control groups although none are to be found")
		}
		// Nothing ties a daemon to who started it: each lives on.
		m.diesAgainAndAgain(t, mark, anyNumber)
	})
}

// launchLeaving starts a brood whose workers leave. Their processes have the mark in
// their environment.
func launchLeaving(t *testing.T, guest string, attr *syscall.SysProcAttr, launch launcher) (m *managed, mark string) {
	t.Helper()
	mark = fmt.Sprintf("MARK=%s-%d", guest, os.Getpid())
	k := served("web", freePort(t)).with(
		"pool.web.command", list(guestBin(), testguest.Word, guest, "-notify"),
		"pool.web.env.MARK", word(strings.TrimPrefix(mark, "MARK=")),
		"pool.web.restart.backoff", `"50ms"`,
		"pool.web.restart.max_backoff", `"200ms"`,
	)
	m = &managed{path: filepath.Join(site(t), "brood.toml"), keys: k}
	write(t, m.path, k.String())
	m.brood = begin(t, options{file: m.path, attr: attr, launch: launch})
	m.await("a worker to have left", func() bool { return len(m.said("worker died")) > 0 })
	return m, mark
}

// diesAgainAndAgain waits for some deaths, demands that there are never more than so
// many processes of workers, and that brood ends as it should.
func (m *managed) diesAgainAndAgain(t *testing.T, mark string, most int) {
	t.Helper()
	worst := 0
	m.await("the workers to have died again and again", func() bool {
		worst = max(worst, len(marked(t, mark)))
		return len(m.said("worker died")) >= 16
	})
	if worst > most {
		t.Errorf("there were %d processes of two workers", worst)
	}
	t.Logf("at most %d processes at once", worst)
	if state := m.status().State; state != "degraded" && state != "starting" {
		t.Errorf("the state is %s", state)
	}
	m.stop()
	for cause := range m.causes() {
		if !slices.Contains([]string{"died_young", "recycled", "stopped"}, cause) {
			t.Errorf("causes: %v", m.causes())
		}
	}
}

// hasGroups tells whether there is a control group for the workers, as brood sees the
// file system.
func (m *managed) hasGroups() bool {
	m.t.Helper()
	found := false
	root := fmt.Sprintf("/proc/%d/root/sys/fs/cgroup", m.cmd.Process.Pid)
	err := filepath.WalkDir(root, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && entry.Name() == "pool-web" {
			found = true
			return fs.SkipAll
		}
		return nil // groups come and go
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return found
}

// marked are the processes that have something in their environment.
func marked(t *testing.T, mark string) []int {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, path := range all {
		text, err := os.ReadFile(path)
		if err != nil || !slices.Contains(strings.Split(string(text), "\x00"), mark) {
			continue // it has ended, or is none of ours
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
