//go:build e2e

package e2e

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/broodctl/brood/internal/testguest"
)

// redis stands in for one: something that accepts connections.
func redis(t *testing.T, port int) (stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", address(port))
	if err != nil {
		t.Fatal(err)
	}
	return accepting(t, listener)
}

// accepting stands in for a service that others only connect to.
func accepting(t *testing.T, listener net.Listener) (stop func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed by stop
			}
			conn.Close()
		}
	}()
	stop = func() { listener.Close(); <-done }
	t.Cleanup(stop)
	return stop
}

// event is a line of brood's log.
type event struct {
	Message string `json:"message"`
	Pool    string `json:"pool"`
}

// events are the lines of the log with one of some messages, as "pool: message".
func (b *brood) events(messages ...string) []string {
	b.t.Helper()
	var all []string
	for line := range strings.Lines(read(b.t, b.log)) {
		var e event
		if json.Unmarshal([]byte(line), &e) != nil {
			continue // of a worker
		}
		for _, m := range messages {
			if e.Message == m {
				all = append(all, e.Pool+": "+m)
			}
		}
	}
	return all
}

// TestOrderOfPools: a web pool comes after its queue, which waits for its database.
// A database that vanishes is named when it costs a worker, and when it is back.
// They stop in the opposite order.
func TestOrderOfPools(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 2)
	port, database := ports[0], ports[1]
	dir := site(t)
	path := filepath.Join(dir, "brood.toml")
	write(t, path, together(guestPool("web", port, "http", "-notify"), keys{
		"pool.web.after":              list("queue"),
		"pool.web.pre_start":          list("echo migrated >>migrations"),
		"pool.web.workers":            "3",
		"pool.web.dir":                word(dir),
		"pool.queue.command":          list(guestBin(), testguest.Word, "slow-ready", "-after", "300ms"),
		"pool.queue.ready":            `"notify"`,
		"pool.queue.requires":         list("tcp://" + address(database)),
		"pool.queue.requires_timeout": `"50s"`,
		"pool.queue.workers":          "2",
	}).String())
	b := begin(t, options{file: path})
	waiting := func(name, phase string) func() bool {
		return func() bool {
			stdout, _, code := b.verb("status", "--output", "json")
			return code == 0 && parseStatus(t, stdout).named(name).Phase == phase
		}
	}
	b.await("the queue to look for its database", waiting("queue", "preparing"))
	b.await("the web server to wait for the queue", waiting("web", "waiting"))
	stop := redis(t, database)
	b.awaitReady()
	const started, ready = "worker started", "worker ready"
	got := strings.Join(b.events(started, ready), "\n")
	if last, first := strings.LastIndex(got, "queue: "+ready), strings.Index(got, "web: "+started); last < 0 || first < last {
		t.Errorf("the web server did not start after the queue was ready:\n%s", got)
	}
	if text := read(t, filepath.Join(dir, "migrations")); text != "migrated\n" {
		t.Errorf("three workers were migrated for by %q", text)
	}

	kill := func() {
		t.Helper()
		before := b.status().named("queue")
		if err := syscall.Kill(before.Workers[0].PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		b.await("a successor of the killed", func() bool {
			p := b.status().named("queue")
			return p.whole() && p.Restarts > before.Restarts
		})
	}
	stop()
	kill()
	b.await("the loss to be named", func() bool {
		return strings.Contains(strings.Join(b.status().named("queue").Unmet, "\n"), address(database))
	})
	redis(t, database)
	kill()
	b.await("the loss to be over", func() bool { return len(b.status().named("queue").Unmet) == 0 })

	b.stop()
	const told, died = "worker told to leave", "worker died"
	all := strings.Join(b.events(told, died), "\n")
	if last, first := strings.LastIndex(all, "web: "+died), strings.Index(all, "queue: "+told); last < 0 || first < last {
		t.Errorf("the queue was told to leave before the web server had ended:\n%s", all)
	}
}

// TestUnmetRequirements: brood does not start without what its pools require, and
// names each thing that is missing.
func TestUnmetRequirements(t *testing.T) {
	path := filepath.Join(scratch(t, os.Geteuid()), "brood.toml")
	write(t, path, sleepers("queue", 1).with(
		"pool.queue.requires_timeout", `"100ms"`,
		"pool.queue.requires", list("tcp://127.0.0.1:1", "unix:///nowhere.sock", "env:NOT_SET", "file:/nowhere", "exec:exit 3"),
	).String())
	b := begin(t, options{file: path})
	if code := b.code(); code != 1 {
		t.Errorf("brood ended with %d, want 1", code)
	}
	lines := b.events("cannot start")
	if len(lines) != 5 {
		t.Errorf("%d lines of what is missing, want 5:\n%s", len(lines), read(t, b.log))
	}
	for _, missing := range []string{"127.0.0.1:1", "/nowhere.sock", "NOT_SET", "/nowhere", "exit 3"} {
		if !strings.Contains(read(t, b.log), missing) {
			t.Errorf("nothing is said of %s:\n%s", missing, read(t, b.log))
		}
	}
	if started := b.events("worker started"); len(started) != 0 {
		t.Errorf("workers were started: %q", started)
	}
}
