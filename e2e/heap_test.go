//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/broodctl/brood/internal/testhost"
)

// TestHeapSnapshots: USR2 to brood makes each Node worker write one complete
// snapshot, though all of them write into one directory.
func TestHeapSnapshots(t *testing.T) {
	t.Parallel()
	testhost.Need(t, testhost.Program("node"))
	script, err := filepath.Abs("testdata/server.js")
	if err != nil {
		t.Fatal(err)
	}
	port, dir := freePort(t), scratch(t, os.Geteuid())
	b := launch(t, options{
		flags:   []string{"-n", strconv.Itoa(slots), "-l", "http=" + address(port), "--dir", dir},
		command: []string{"node", "--heapsnapshot-signal=SIGUSR2", script},
	})
	workers := b.pool().Workers
	tr := startTraffic(t, address(port))
	closed := watchClosed(t, dir)
	if err := b.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	files := closed(slots)
	// A second round, by the command: new files, the first ones untouched.
	b.must("dump")
	files = append(files, closed(slots)...)

	byPID := make(map[int]int)
	for _, file := range files {
		byPID[checkSnapshot(t, filepath.Join(dir, file))]++
	}
	for _, w := range workers {
		if byPID[w.PID] != 2 {
			t.Errorf("worker %d wrote %d snapshots, want 2: %q", w.PID, byPID[w.PID], files)
		}
	}
	if p := b.pool(); p.Restarts != 0 || !p.whole() {
		t.Errorf("after the dumps %d restarts: %s", p.Restarts, p)
	}
	tr.flawless(t)
	b.stop()
}

// checkSnapshot demands a complete heap snapshot and gives the process that its
// name tells: Heap.DATE.TIME.PID.THREAD.SEQ.heapsnapshot.
func checkSnapshot(t *testing.T, path string) int {
	t.Helper()
	complete(t, path)
	parts := strings.Split(filepath.Base(path), ".")
	if len(parts) != 7 {
		t.Fatalf("who wrote %s?", path)
	}
	pid, err := strconv.Atoi(parts[3])
	if err != nil {
		t.Fatalf("who wrote %s: %v", path, err)
	}
	return pid
}

// complete demands a heap snapshot of V8's that was written to its end, by one process.
func complete(t *testing.T, path string) {
	t.Helper()
	var snapshot struct {
		Snapshot struct {
			NodeCount int `json:"node_count"`
			Meta      struct {
				NodeFields []string `json:"node_fields"`
			} `json:"meta"`
		} `json:"snapshot"`
		Nodes   []int    `json:"nodes"`
		Strings []string `json:"strings"`
	}
	if err := json.Unmarshal([]byte(read(t, path)), &snapshot); err != nil {
		t.Errorf("%s is not valid: %v", path, err)
	}
	want := snapshot.Snapshot.NodeCount * len(snapshot.Snapshot.Meta.NodeFields)
	if want == 0 || len(snapshot.Nodes) != want || len(snapshot.Strings) == 0 {
		t.Errorf("%s is not complete: %d of %d numbers, %d strings", path, len(snapshot.Nodes), want, len(snapshot.Strings))
	}
}
