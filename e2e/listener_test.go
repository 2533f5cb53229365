//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
)

// queued opens connections that nobody accepts yet, with their requests on the way.
// The function that it gives reads the answers.
func queued(t *testing.T, port, n int) (answered func()) {
	t.Helper()
	var conns []net.Conn
	for range n {
		conn, err := net.DialTimeout("tcp", address(port), patience)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if _, err := fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	return func() {
		t.Helper()
		for i, conn := range conns {
			if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Errorf("connection %d of %d, made before the reload: %v", i+1, n, err)
				continue
			}
			response.Body.Close()
		}
	}
}

// TestListenerRemoved: a listener that goes takes no further connections, and those
// that wait in its queues are answered, whether its pool goes along or stays.
func TestListenerRemoved(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 2)
	web, old := ports[0], ports[1]
	// Time to serve what waits once the workers are woken.
	alone := guestPool("web", web, "http", "-notify").with("pool.web.rollout.settle", `"2s"`)
	for _, c := range []struct {
		name, pool string
		keys       keys
	}{
		{"with its pool", "old", together(alone, guestPool("old", old, "http", "-notify").with("pool.old.rollout.settle", `"2s"`))},
		{"from its pool", "web", alone.with("pool.web.listen", list("web", "old"), "listen.old.address", word(address(old)))},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := manage(t, site(t), c.keys)
			tr := lightTraffic(t, web)
			pids := m.status().named(c.pool).pids()
			m.halt(pids...) // nobody accepts until the reload has begun
			answered := queued(t, old, 40)
			write(t, m.path, alone.String())
			verdict := m.begins("reload")
			m.await("the begin of the change", func() bool { return strings.Contains(read(t, m.log), `"change begins"`) })
			signal(t, pids, syscall.SIGCONT)
			if said, code := verdict(); code != 0 {
				t.Errorf("the reload ended with %d:\n%s", code, said)
			}
			answered()
			refused(t, old)
			tr.flawless(t)
			m.stop()
		})
	}
}

func signal(t *testing.T, pids []int, sig syscall.Signal) {
	t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, sig); err != nil {
			t.Fatalf("cannot signal %d: %v", pid, err)
		}
	}
}

// neverCut stops a load and demands that nothing failed but what was refused where
// nobody listened.
func neverCut(t *testing.T, name string, load *loadgen.Load) {
	t.Helper()
	result := load.Stop()
	if result.Failed() != result.Count(loadgen.Refused) || result.OK() == 0 {
		t.Errorf("%s:\n%s", name, &result)
	}
	t.Logf("%s: %d requests, %d refused", name, result.Requests(), result.Count(loadgen.Refused))
}

// TestListenerMoves: a pool moves to another port and to a third pool's, and a
// listener to another pool. No connection that was made is cut, and where somebody
// listens before and after nothing fails at all.
func TestListenerMoves(t *testing.T) {
	t.Parallel()
	ports := freePorts(t, 3)
	a, b, c := ports[0], ports[1], ports[2]
	m := manage(t, site(t), together(
		guestPool("web", a, "http", "-notify"), guestPool("api", c, "http", "-notify"),
	))
	stays := lightTraffic(t, c)
	before, after := lightTraffic(t, a), lightTraffic(t, b)
	m.becomes(m.keys.with("listen.web.address", word(address(b))), map[string]string{"web": "rolled"})
	refused(t, a)
	if err := after.fresh.Await(t.Context(), 50); err != nil {
		t.Error(err)
	}
	neverCut(t, "the port that was left", before.fresh)
	neverCut(t, "its kept connections", before.kept)
	neverCut(t, "the port that was taken", after.fresh)
	neverCut(t, "its kept connections", after.kept)

	// From pool web, which keeps another one, to pool api and back: there is always
	// somebody who listens.
	k := m.keys.with("listen.more.address", word(address(a)), "pool.web.listen", list("web", "more"))
	m.becomes(k, map[string]string{"web": "rolled"})
	moves := lightTraffic(t, a)
	m.becomes(k.with("pool.web.listen", list("web"), "pool.api.listen", list("api", "more")), map[string]string{"web": "rolled", "api": "rolled"})
	m.becomes(k, map[string]string{"web": "rolled", "api": "rolled"})
	moves.flawless(t)
	stays.flawless(t)
	m.stop()
}

// TestPoolRenamed: a pool under another name takes over the listener of the one that
// goes, again and again, and nothing fails.
func TestPoolRenamed(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	m := manage(t, site(t), guestPool("web", port, "http", "-notify"))
	tr := startTraffic(t, address(port))
	for n := range 5 {
		before := m.pool1().Name
		name := "web" + strconv.Itoa(n)
		k := together(m.keys.without("pool"), guestPool(name, port, "http", "-notify").without("listen"))
		m.becomes(k.with("pool."+name+".listen", list("web")), map[string]string{before: "removed", name: "added"})
	}
	tr.flawless(t)
	m.stop()
}
