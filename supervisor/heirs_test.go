package supervisor

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/listener"
)

// TestConnectionsWaitForTheNextProcess: where the service manager keeps the sockets, a stop steers connections to where nobody
// is, and tells the workers to leave when they have settled. Nothing is changed where nobody comes after us.
func TestConnectionsWaitForTheNextProcess(t *testing.T) {
	term := func(s *stage) { s.signals <- syscall.SIGTERM }
	datagrams := tcp("dns", 53)
	datagrams.Address.Network = "udp"
	shared := tcp("side", 81)
	shared.Mode = listener.Shared
	for _, tt := range []struct {
		name     string
		outlives bool
		stop     func(*stage)
		want     string
		settles  bool
	}{
		{"kept", true, term, "steer 0b 1b", true},
		{"not kept", false, term, "", false},
		{"for good", true, func(s *stage) { s.ask(Request{Verb: Stop}) }, "", false},
		{"one pool", true, func(s *stage) { s.ask(Request{Verb: Stop, Pool: "web"}) }, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{outlives: tt.outlives}
			perform(t, w, described(w, desire([]listener.Config{webListener(), datagrams, shared}, poolNamed("web", "http", "dns", "side"))), func(s *stage) {
				s.after(time.Second)
				before := len(w.lines())
				tt.stop(s)
				synctest.Wait()
				said := w.lines()[before:]
				steers := slices.DeleteFunc(slices.Clone(said), func(line string) bool { return !strings.HasPrefix(line, "steer") })
				if got := strings.Join(steers, ", "); got != tt.want {
					t.Errorf("steered: %s; want %s", got, tt.want)
				}
				told := slices.ContainsFunc(said, func(line string) bool { return strings.HasPrefix(line, "TERM") })
				if told == tt.settles {
					t.Errorf("it settles: %v\n%q", !told, said)
				}
				s.after(time.Minute)
			})
		})
	}
}
