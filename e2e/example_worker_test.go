//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestExampleWorker: the server that knows brood reloads, dumps, is led and is rolled
// under load, and a greeting that it cannot use changes nothing.
func TestExampleWorker(t *testing.T) {
	t.Parallel()
	dir, port := site(t), freePort(t)
	program := standIn(t, "example-worker", "../examples/worker")
	current(t, "worker/brood.toml", nil)
	file := example(t, "worker/brood.toml", dir, "127.0.0.1:8080", address(port), "../../bin/example-worker", "example-worker")
	greeting := filepath.Join(dir, "greeting.txt")
	write(t, greeting, "good day")
	b := launch(t, options{file: file, env: []string{foundIn(program)}})
	tr := startTraffic(t, address(port))
	greets := func(want string) {
		t.Helper()
		response, err := http.Get("http://" + address(port) + "/")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if text, err := io.ReadAll(response.Body); err != nil || !strings.HasPrefix(string(text), want+" from worker ") {
			t.Errorf("it said %q, %v, want %s", text, err, want)
		}
	}
	greets("good day")
	before := b.status().named("web").pids()

	write(t, greeting, "good night")
	b.must("reload")
	b.awaitOutput("the greeting was read again", 4)
	greets("good night")
	write(t, greeting, "")
	b.must("reload")
	b.awaitOutput("the old greeting stays", 4)
	greets("good night")
	if after := b.status().named("web").pids(); !slices.Equal(before, after) {
		t.Errorf("reloads replaced %v by %v", before, after)
	}
	b.must("dump")
	b.await("the dumps of four workers", func() bool {
		dumps, err := filepath.Glob(filepath.Join(dir, "example-worker-*.heap.pprof"))
		return err == nil && len(dumps) == 4
	})
	if _, said, code := b.verb("roll"); code != 1 || !strings.Contains(said, "cannot read greeting greeting.txt: it is empty") {
		t.Errorf("a roll to a worker that cannot start ended with %d: %s", code, said)
	}
	write(t, greeting, "good morning")
	b.must("roll", "--wait")
	greets("good morning")
	tr.flawless(t)
	b.stop()
}

// awaitOutput waits until workers have said something so often.
func (b *brood) awaitOutput(words string, times int) {
	b.t.Helper()
	b.await(words, func() bool { return strings.Count(read(b.t, b.log), words) >= times })
}
