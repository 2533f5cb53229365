//go:build e2e

package e2e

import (
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/testguest"
	"github.com/broodctl/brood/internal/testhost"
)

// nobody is the uid and gid of an ordinary user on any Debian machine.
const nobody = 65534

// unprivileged launches in a network namespace, as nobody.
func unprivileged(ns *testhost.NetNS) launcher {
	return func(ctx context.Context, argv ...string) *exec.Cmd {
		id := strconv.Itoa(nobody)
		drop := []string{"setpriv", "--reuid", id, "--regid", id, "--clear-groups", "--no-new-privs", "--"}
		return ns.Command(ctx, append(drop, argv...)...)
	}
}

// from sends requests out of a namespace and gives the slots that answered.
func from(t *testing.T, ns *testhost.NetNS, address string, n int) map[int]int {
	t.Helper()
	result, err := loadgen.Run(t.Context(), loadgen.Config{Address: address, Dial: ns.Dial, Requests: n, Timeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	if result.OK() != n {
		t.Errorf("%s:\n%s", address, &result)
	}
	return result.Slots()
}

// TestRedirectedPort: an unprivileged brood on 8080 serves port 80, for clients on
// other machines and on its own, and loses nothing when it is rolled.
func TestRedirectedPort(t *testing.T) {
	testhost.Need(t, testhost.Root, testhost.Program("nft"), testhost.Program("setpriv"))
	cable := testhost.Wire(t)
	cable.Server.Must("nft", "-f", rules(t, "redirect.nft"))
	b := launch(t, options{
		flags:   []string{"-n", strconv.Itoa(slots), "-l", ":8080", "--settle", "100ms"},
		command: []string{guestBin(), testguest.Word, "http"},
		launch:  unprivileged(cable.Server), uid: nobody,
	})
	address := net.JoinHostPort(cable.ServerIP, "80")
	for name, got := range map[string]map[int]int{
		"remote":   from(t, cable.Remote, address, 100),
		"local":    from(t, cable.Server, address, 100),
		"loopback": from(t, cable.Server, "127.0.0.1:80", 100),
	} {
		if len(got) != slots {
			t.Errorf("a %s client reached the slots %v", name, got)
		}
	}
	load := startLoad(t, address, func(c *loadgen.Config) { c.Dial = cable.Remote.Dial })
	for range 5 {
		b.must("roll", "--wait")
	}
	if result := load.Stop(); result.Failed() != 0 || result.OK() == 0 {
		t.Errorf("under five rollouts:\n%s", &result)
	}
	b.stop()
}

// TestPortPerSlot: programs that only know $PORT, behind the map from turns to
// ports.
func TestPortPerSlot(t *testing.T) {
	testhost.Need(t, testhost.Root, testhost.Program("nft"), testhost.Program("setpriv"))
	cable := testhost.Wire(t)
	cable.Server.Must("nft", "-f", rules(t, "per-slot.nft"))
	b := launch(t, options{
		flags:   []string{"-n", strconv.Itoa(slots), "-l", "http=127.0.0.1:9000,mode=per-slot"},
		command: []string{guestBin(), testguest.Word, "port-only"},
		launch:  unprivileged(cable.Server), uid: nobody,
	})
	got := from(t, cable.Server, "127.0.0.1:80", 40)
	for slot := range slots {
		if got[slot] != 10 {
			t.Errorf("slot %d answered %d of 40, want each fourth", slot, got[slot])
		}
	}
	b.stop()
}

func rules(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "contrib", "nftables", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}
