//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/testguest"
)

// laggard is a brood that says that it can go on, and finds another configuration when it does.
func laggard(t *testing.T, file, finds string) string {
	t.Helper()
	dir := t.TempDir()
	other, path := filepath.Join(dir, "other.toml"), filepath.Join(dir, "brood")
	write(t, other, finds)
	write(t, path, fmt.Sprintf("#!/bin/sh\ncase $1 in upgrade-check) %q \"$@\" && cp %q %q; exit $?;; esac\nexec %q \"$@\"\n", broodBin(), other, file, broodBin()))
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestUpgradeGivenBack: a program that has taken over and cannot go on executes the one before. That goes on with all it had,
// says why, and can be upgraded as before.
func TestUpgradeGivenBack(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	ports := freePorts(t, 1)
	file := filepath.Join(t.TempDir(), "brood.toml")
	good := fmt.Sprintf("[supervisor]\nname = \"web\"\n%%s\n[listen.http]\naddress = \"%s\"\n[pool.web]\nworkers = 3\ncommand = [%q, %q, \"http\"]\nlisten = [\"http\"]\n",
		address(ports[0]), guestBin(), testguest.Word)
	with := func(settings string) string { return fmt.Sprintf(good, settings) }
	write(t, file, with(""))
	b := launch(t, options{file: file})
	tr := startTraffic(t, address(ports[0]))
	before := b.pool()
	for i, tt := range []struct{ reason, finds string }{
		{"cannot serve HTTP on", with(fmt.Sprintf("http = %q", taken.Addr()))},
		{"cannot answer the control API", with(fmt.Sprintf("[supervisor.control]\ntcp = %q\ntoken_file = %q", taken.Addr(), tokenFile(t)))},
		{"expected", "[supervisor\n"},
	} {
		write(t, file, with(""))
		if _, said, code := b.verb("upgrade", "--program", laggard(t, file, tt.finds)); code != 1 || !strings.Contains(said, tt.reason) {
			t.Errorf("%s: %q, %d", tt.reason, said, code)
		}
		const refused = "upgrade refused: this program goes on"
		b.awaitSaid(refused, i+1)
		if all := b.said(refused); len(all) != i+1 || !strings.Contains(all[i].Error, tt.reason) {
			t.Errorf("%s: the log has %+v", tt.reason, all)
		}
	}
	write(t, file, with(""))
	b.must("upgrade")
	if p := b.pool(); p.Restarts != 0 || p.Workers[0].PID != before.Workers[0].PID || p.Workers[2].PID != before.Workers[2].PID {
		t.Errorf("before\n%safter\n%s", before, p)
	}
	tr.flawless(t)
	write(t, file, with("[supervisor.control]\nread = [\"nobody\"]"))
	b.must("upgrade")
	if info, err := os.Stat(b.control); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("who may read now cannot connect: %v, %v", info.Mode(), err)
	}
	b.stop()
}

func tokenFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	write(t, path, strings.Repeat("t", 20))
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
