//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/testguest"
	"github.com/broodctl/brood/internal/testhost"
)

// TestFollowedRules: workers that only know $PORT, behind rules that are kept in step
// with them. Nobody is sent to one that is about to leave, nor to one that has died and
// whose successor is still on its way.
func TestFollowedRules(t *testing.T) {
	testhost.Need(t, testhost.Root, testhost.Program("nft"), testhost.Program("setpriv"))
	cable, dir := testhost.Wire(t), site(t)
	file, hold := filepath.Join(dir, "brood.toml"), filepath.Join(dir, "hold")
	write(t, file, keys{
		"supervisor.name":              word("web"),
		"listen.http.address":          word(":9000"),
		"listen.http.mode":             word("per-slot"),
		"listen.http.public":           "80",
		"pool.web.ready":               word("tcp"),
		"pool.web.listen":              list("http"),
		"pool.web.workers":             "4",
		"pool.web.rollout.settle":      word("300ms"),
		"pool.web.restart.backoff":     word("10ms"),
		"pool.web.command":             list("sh", "-c", `while [ -e "$0" ]; do sleep 0.02; done; exec "$@"`, hold, guestBin(), testguest.Word, "port-only"),
		"pool.web.restart.max_backoff": word("50ms"),
	}.String())
	b := launch(t, options{file: file, launch: unprivileged(cable.Server), uid: nobody})
	said := b.follows(cable.Server, file)
	said.await("slots 0 1 2 3 of 4")

	load := startLoad(t, "127.0.0.1:80", func(c *loadgen.Config) { c.Dial, c.Clients = cable.Server.Dial, 8 })
	for range 3 {
		b.must("roll", "--wait")
	}
	if result := load.Stop(); result.Failed() != 0 || result.OK() == 0 {
		t.Errorf("under three rollouts:\n%s", &result)
	}

	for slot, rest := range []string{"1 2 3", "0 2 3"} {
		write(t, hold, "")
		said.forget()
		if err := syscall.Kill(b.pool().Workers[slot].PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		said.await("slots " + rest + " of 4")
		if got := from(t, cable.Server, "127.0.0.1:80", 80); got[slot] != 0 { // which demands that none failed
			t.Errorf("the dead slot %d answered: %v", slot, got)
		}
		if err := os.Remove(hold); err != nil {
			t.Fatal(err)
		}
		said.await("slots 0 1 2 3 of 4")
	}
	b.must("scale", "2")
	said.await("slots 0 1 of 2")
	b.stop()
	said.end()
}

// followed is what brood nft --follow says.
type followed struct {
	b     *brood
	lines chan string
}

// follows keeps rules of a configuration in step, and ends with the test.
func (b *brood) follows(ns *testhost.NetNS, file string) *followed {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := ns.Command(ctx, broodBin(), "nft", "--follow", "-c", file, "--control", b.control)
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	f := &followed{b: b, lines: make(chan string, 1024)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			f.lines <- lines.Text()
		}
		close(f.lines)
		_ = cmd.Wait()
	}()
	b.t.Cleanup(func() { cancel(); <-ended })
	return f
}

// forget skips what was said so far.
func (f *followed) forget() {
	for len(f.lines) > 0 {
		<-f.lines
	}
}

// await waits for a line with these words.
func (f *followed) await(words string) {
	f.b.t.Helper()
	var seen []string
	for deadline := time.After(patience); ; {
		select {
		case line, ok := <-f.lines:
			seen = append(seen, line)
			if !ok {
				f.b.t.Fatalf("the end came before %q; there were %q", words, seen)
			}
			if strings.Contains(line, words) {
				return
			}
		case <-deadline:
			f.b.t.Fatalf("still no %q, but %q", words, seen)
		}
	}
}

// end demands that it has said nothing more, and has ended with the supervisor.
func (f *followed) end() {
	f.b.t.Helper()
	select {
	case line, ok := <-f.lines:
		if ok {
			f.b.t.Errorf("at the end it said %q", line)
		}
	case <-time.After(patience):
		f.b.t.Error("it outlives the supervisor")
	}
}
