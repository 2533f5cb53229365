package units_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/units"
)

func TestSockets(t *testing.T) {
	const root = "[pool.app]\ncommand = [\"s\"]\nlisten = [\"a\"]\nworkers = 2\n"
	const user = root + "user = \"app\"\n"
	for name, c := range map[string]struct {
		text  string
		file  string
		want  []string
		names []string
	}{
		"all addresses, as root": {
			root + "[listen.a]\naddress = \":80\"", "web-a.socket",
			[]string{"ListenStream=80", "BindIPv6Only=both", "FileDescriptorName=a", "ReusePort=yes", "Backlog=4096", "Service=web.service", "WantedBy=sockets.target", "!FreeBind=", "!SocketMode=", "!PartOf="},
			[]string{"web-a.socket"},
		},
		"one for each side of a slot": {
			user + "[listen.a]\naddress = \"127.0.0.1:80\"", "web-a@.socket",
			[]string{"ListenStream=127.0.0.1:80", "!BindIPv6Only=", "FileDescriptorName=a", "ReusePort=yes", "PartOf=web.service", "Service=web.service"},
			[]string{"web-a@1.socket", "web-a@2.socket", "web-a@3.socket", "web-a@4.socket"},
		},
		"shared by users": {
			user + "[listen.a]\naddress = \"[::1]:80\"\nmode = \"shared\"\nbacklog = 9", "web-a.socket",
			[]string{"ListenStream=[::1]:80", "!ReusePort=", "Backlog=9"},
			[]string{"web-a.socket"},
		},
		"IPv4":      {root + "[listen.a]\naddress = \"tcp4::80\"", "web-a.socket", []string{"ListenStream=0.0.0.0:80", "!BindIPv6Only="}, []string{"web-a.socket"}},
		"IPv6":      {root + "[listen.a]\naddress = \"tcp6::80\"", "web-a.socket", []string{"ListenStream=[::]:80", "BindIPv6Only=ipv6-only"}, []string{"web-a.socket"}},
		"written":   {root + "[listen.a]\naddress = \"[::]:80\"", "web-a.socket", []string{"ListenStream=[::]:80", "BindIPv6Only=both"}, []string{"web-a.socket"}},
		"localhost": {root + "[listen.a]\naddress = \"localhost:80\"", "web-a.socket", []string{"ListenStream=127.0.0.1:80"}, []string{"web-a.socket"}},
		"UDP": {
			user + "[listen.a]\naddress = \"udp:192.0.2.1:53\"", "web-a.socket",
			[]string{"ListenDatagram=192.0.2.1:53", "FreeBind=yes", "ReusePort=yes", "!Backlog=", "!ListenStream="},
			[]string{"web-a.socket"},
		},
		"unix": {
			user + "[listen.a]\naddress = \"unix:/run/x/100%.sock\"\nperm = \"0600\"\nowner = \":web\"", "web-a.socket",
			[]string{"ListenStream=/run/x/100%%.sock", "SocketMode=0600", "SocketUser=app", "SocketGroup=web", "!ReusePort="},
			[]string{"web-a.socket"},
		},
		"unix of root": {root + "[listen.a]\naddress = \"unix:/run/x/a.sock\"", "web-a.socket", []string{"SocketMode=0660", "!SocketUser="}, []string{"web-a.socket"}},
		"abstract":     {user + "[listen.a]\naddress = \"unix:@a\"", "web-a.socket", []string{"ListenStream=@a", "!SocketMode="}, []string{"web-a.socket"}},
		"a strange name": {
			strings.Replace(root, `"a"`, `"@%/"`, 1) + "[listen.\"@%/\"]\naddress = \":80\"", `web-\x40\x25\x2f.socket`,
			[]string{"FileDescriptorName=@%%/"},
			[]string{`web-\x40\x25\x2f.socket`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			made := render(t, load(t, c.text), units.Options{Sockets: true})
			if len(made.Files) != 2 || made.Files[1].Name != c.file {
				t.Fatalf("files %+v", made.Files)
			}
			demand(t, made.Files[1], c.want)
			var names []string
			for _, line := range settings(made.Files[0].Text) {
				if name, ok := strings.CutPrefix(line, "Sockets="); ok {
					names = append(names, name)
				}
			}
			if !slices.Equal(names, c.names) {
				t.Errorf("the service takes %q, want %q", names, c.names)
			}
		})
	}
}

// A listener that is systemd's has a unit when its port is known; no listener has one unasked.
func TestSystemdListeners(t *testing.T) {
	cfg := load(t, listening("address = \"systemd:web\""))
	made := render(t, cfg, units.Options{})
	if len(made.Files) != 1 || len(made.Notes) != 1 || !strings.HasPrefix(made.Notes[0], "the socket web of listener a is left to you") {
		t.Errorf("files %+v, notes %q", made.Files, made.Notes)
	}
	cfg.Listeners[0].Public = 443
	made = render(t, cfg, units.Options{})
	if len(made.Files) != 2 || made.Files[1].Name != "web-a@.socket" {
		t.Fatalf("files %+v", made.Files)
	}
	demand(t, made.Files[1], []string{"ListenStream=443", "FileDescriptorName=web"})
	if want := []string{"web-a@{1..8}.socket", "web.service"}; !slices.Equal(made.Start, want) {
		t.Errorf("to start: %q, want %q", made.Start, want)
	}
}

// What systemd cannot open says so.
func TestNoSockets(t *testing.T) {
	for _, address := range []string{"\":0\"", "\":9000\"\nmode = \"per-slot\""} {
		made := render(t, load(t, listening("address = "+address)), units.Options{Sockets: true})
		if len(made.Files) != 1 || len(made.Notes) != 1 || !strings.HasPrefix(made.Notes[0], "listener a has no socket unit") {
			t.Errorf("%s: files %+v, notes %q", address, made.Files, made.Notes)
		}
	}
}
