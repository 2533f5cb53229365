package deadman

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var workers = flag.Int("workers", 50, "how many TestMany kills")

// Many workers are watched, and dead soon after the deadline. With -v -workers 1000 it tells what docs/coordination.md says of it.
func TestMany(t *testing.T) {
	d := begun(t)
	const later = 9
	d.must(d.Deadline(later, soon(time.Hour)))
	all := make([]sleeper, *workers)
	for i := range all {
		all[i] = newSleeper(d)
		all[i].watch(later)
	}
	d.settledBy(2)
	memory := d.memory()

	const times = 100
	begin := time.Now()
	for range times {
		d.must(d.Deadline(later, soon(time.Hour)))
	}
	renewal := time.Since(begin) / times

	at := soon(300 * time.Millisecond)
	d.must(d.Deadline(1, at))
	for _, w := range all {
		w.watch(1)
	}
	first := d.await()
	for killed := first.PID; killed < uint32(*workers); { // each that comes too late is killed at once
		killed += d.await().PID
	}
	for _, w := range all {
		awaitInput(t, w.pidfd)
	}
	t.Logf("%d workers: the deadman begins %v after the deadline, all are dead %v after it", *workers, first.At-at, time.Duration(now())-at)
	t.Logf("a renewal takes us %v; memory of the deadman: %s", renewal, memory)
}

// sleeper is a worker that does nothing.
type sleeper struct {
	d          *deadman
	pid, pidfd int
}

func newSleeper(d *deadman) sleeper {
	cmd, w := exec.Command("sleep", "1000"), sleeper{d: d, pidfd: -1}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, PidFD: &w.pidfd}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	w.pid = cmd.Process.Pid
	d.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = unix.Close(w.pidfd)
	})
	return w
}

func (w sleeper) watch(session int64) {
	w.d.t.Helper()
	w.d.must(w.d.Watch(uint64(w.pid), w.pid, Sessions{session}, w.pidfd, -1))
}

// memory is what the kernel says of it.
func (d *deadman) memory() string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "VmRSS") || strings.HasPrefix(line, "Rss") || strings.HasPrefix(line, "Threads") || strings.HasPrefix(line, "VmLck") {
			all = append(all, strings.Join(strings.Fields(line), " "))
		}
	}
	return strings.Join(all, ", ")
}
