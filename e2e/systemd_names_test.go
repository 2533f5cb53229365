//go:build e2e

package e2e

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSystemdSocketNames: whatever systemd calls sockets, a worker finds each of them by a name of its own. One unit of
// two ports has no name for them but its own; another name has a quote in it.
func TestSystemdSocketNames(t *testing.T) {
	t.Parallel()
	m := boot(t, "plain.service")
	m.Unit("plain.socket", "[Socket]\nListenStream=80\nListenStream=8080\nReusePort=true\n")
	m.Unit("quoted.socket", "[Socket]\nListenStream=7070\nFileDescriptorName=a\"b\nService=plain.service\n")
	m.Unit("plain.service", `[Service]
Type=notify
User=nobody
Group=nogroup
RuntimeDirectory=brood
Sockets=plain.socket quoted.socket
ExecStart=`+installedBrood+` run --name plain -n 2 --fds-env LACTOSERV_FDS -- `+installedGuest+` testguest http -notify
`)
	m.ctl("start", m.unit)
	env := m.facts("127.0.0.1:80").Env
	var got map[string]string
	if err := json.Unmarshal([]byte(env["LACTOSERV_FDS"]), &got); err != nil {
		t.Fatalf("%v: %s", err, env["LACTOSERV_FDS"])
	}
	names := map[string]string{} // by address
	p := parseStatus(t, m.Must(t.Context(), installedBrood, "status", "--name", "plain", "--output", "json")).Pools[0]
	for _, l := range p.Listeners {
		names[l.Address] = l.Name
	}
	want := map[string]string{":80": "plain.socket", ":8080": "plain.socket-2", ":7070": `a"b`}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got)\n%s\n%s", diff, m.journal())
	}
	if len(got) != 3 || got["plain.socket"] == "" || got["plain.socket-2"] == "" || got[`a"b`] == "" {
		t.Errorf("a worker finds %s, and LISTEN_FDNAMES=%s", env["LACTOSERV_FDS"], env["LISTEN_FDNAMES"])
	}
	m.stopped("plain.socket", "quoted.socket")
}
