// Package contrib_test checks what brood ships for other programs: that systemd
// and nft understand the files, and that the rules do what their page says.
package contrib_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/testhost"
)

// TestUnitsAreClean: systemd-analyze has not a word to say about them. The
// programs they name are replaced, since this machine does not have them.
func TestUnitsAreClean(t *testing.T) {
	testhost.Need(t, testhost.Program("systemd-analyze"))
	for _, name := range []string{"brood.service", "brood.socket", "brood@.socket"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, unit := range []string{"brood.service", "brood.socket", "brood@.socket"} {
				text := strings.ReplaceAll(read(t, "systemd/"+unit), "/usr/local/bin/brood ", "/bin/true ")
				write(t, filepath.Join(dir, strings.Replace(unit, "@.", "@1.", 1)), text)
			}
			if said := testhost.Analyze(t, dir, strings.Replace(name, "@.", "@1.", 1)); said != "" {
				t.Error(said)
			}
		})
	}
}

// TestReadmeExplainsEachKey: no key of a unit without a word why it is there. Of
// the hardening only what is left out needs one.
func TestReadmeExplainsEachKey(t *testing.T) {
	readme := read(t, "systemd/README.md")
	for _, unit := range []string{"brood.service", "brood.socket"} {
		inSection, hardening := false, false
		for line := range strings.Lines(read(t, "systemd/"+unit)) {
			switch {
			case strings.HasPrefix(line, "["):
				inSection = strings.HasPrefix(line, "[Service]") || strings.HasPrefix(line, "[Socket]")
			case strings.HasPrefix(line, "# Every worker inherits"):
				hardening = true
			}
			key, _, found := strings.Cut(line, "=")
			if !found || !inSection || hardening || key == "WorkingDirectory" || key == "Environment" {
				continue
			}
			if !strings.Contains(readme, "`"+key+"=") {
				t.Errorf("%s: README.md does not explain %s=", unit, key)
			}
		}
	}
}

func TestRulesAreValid(t *testing.T) {
	testhost.Need(t, testhost.Program("nft"))
	files, err := filepath.Glob("nftables/*.nft")
	if err != nil || len(files) != 2 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		ns := testhost.NewNetNS(t)
		ns.Must("nft", "-c", "-f", file)
		ns.Must("nft", "-f", file)
		first := ns.Must("nft", "list", "ruleset")
		ns.Must("nft", "-f", file)
		if again := ns.Must("nft", "list", "ruleset"); again != first {
			t.Errorf("%s: loading again changed the rules from\n%s\nto\n%s", file, first, again)
		}
	}
}

// serve answers on a port of the namespace, with the port as the slot.
func serve(t *testing.T, ns *testhost.NetNS, port int) {
	t.Helper()
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(loadgen.WorkerHeader, loadgen.Worker{Slot: port}.String())
	})}
	listener := ns.Listen("tcp", net.JoinHostPort("", strconv.Itoa(port)))
	done := make(chan struct{})
	go func() { _ = server.Serve(listener); close(done) }() // ends with Close below
	t.Cleanup(func() { server.Close(); <-done })
}

// get sends requests from a namespace and gives the slots that answered.
func get(t *testing.T, from *testhost.NetNS, address string, n int) map[int]int {
	t.Helper()
	return getBy(t, from.Dial, address, n)
}

func getBy(t *testing.T, dial loadgen.DialFunc, address string, n int) map[int]int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	result, err := loadgen.Run(ctx, loadgen.Config{Address: address, Dial: dial, Requests: n, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if result.OK() != n {
		t.Errorf("%s:\n%s", address, &result)
	}
	return result.Slots()
}

func TestRedirect(t *testing.T) {
	testhost.Need(t, testhost.Program("nft"))
	cable := testhost.Wire(t)
	serve(t, cable.Server, 8080)
	serve(t, cable.Server, 8443)
	cable.Server.Must("nft", "-f", "nftables/redirect.nft")
	for port, want := range map[string]int{"80": 8080, "443": 8443} {
		for client, slots := range map[string]map[int]int{
			"remote":       get(t, cable.Remote, net.JoinHostPort(cable.ServerIP, port), 5),
			"local":        get(t, cable.Server, net.JoinHostPort(cable.ServerIP, port), 5),
			"loopback":     get(t, cable.Server, net.JoinHostPort("127.0.0.1", port), 5),
			"loopback six": get(t, cable.Server, net.JoinHostPort("::1", port), 5),
		} {
			if slots[want] != 5 {
				t.Errorf("port %s for a %s client reached %v, want %d", port, client, slots, want)
			}
		}
	}
	// What goes to other machines is none of its business.
	serve(t, cable.Remote, 80)
	if slots := get(t, cable.Server, net.JoinHostPort(cable.RemoteIP, "80"), 5); slots[80] != 5 {
		t.Errorf("a request to another machine reached %v", slots)
	}
}

func TestPerSlot(t *testing.T) {
	testhost.Need(t, testhost.Program("nft"))
	cable := testhost.Wire(t)
	for port := 9000; port < 9004; port++ {
		serve(t, cable.Server, port)
	}
	cable.Server.Must("nft", "-f", "nftables/per-slot.nft")
	address := net.JoinHostPort(cable.ServerIP, "80")
	for client, ns := range map[string]*testhost.NetNS{"remote": cable.Remote, "local": cable.Server} {
		slots := get(t, ns, address, 40)
		for port := 9000; port < 9004; port++ {
			if slots[port] != 10 {
				t.Errorf("%s client: port %d answered %d of 40, want each fourth", client, port, slots[port])
			}
		}
	}
	// The command of README.md takes a slot out.
	command := between(read(t, "nftables/README.md"), "nft 'delete", "'\n")
	cable.Server.Must("nft", "delete"+command)
	if slots := get(t, cable.Remote, address, 40); slots[9002] != 0 || slots[9000] != 20 {
		t.Errorf("with slot 2 taken out: %v", slots)
	}
}

func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}

// TestExecStartIsBrood: the unit and the pages call the same program.
func TestExecStartIsBrood(t *testing.T) {
	lines := strings.Split(read(t, "systemd/brood.service"), "\n")
	const want = "ExecStart=/usr/local/bin/brood run --name web -n 4 -l http=systemd:http -- /usr/bin/node /srv/app/server.js"
	if !slices.Contains(lines, want) {
		t.Errorf("no line is %q", want)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
