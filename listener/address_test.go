package listener

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseAddress(t *testing.T) {
	t.Parallel()
	tests := map[string]Address{
		":8080":                      {Network: "tcp", Port: 8080},
		"*:80":                       {Network: "tcp", Port: 80},
		"tcp:*:80":                   {Network: "tcp", Port: 80},
		"127.0.0.1:8080":             {Network: "tcp", Host: "127.0.0.1", Port: 8080},
		"0.0.0.0:0":                  {Network: "tcp", Host: "0.0.0.0"},
		"localhost:80":               {Network: "tcp", Host: "localhost", Port: 80},
		"[::1]:80":                   {Network: "tcp", Host: "::1", Port: 80},
		"[0:0::1]:80":                {Network: "tcp", Host: "::1", Port: 80},
		"[::]:80":                    {Network: "tcp", Host: "::", Port: 80},
		"[::ffff:127.0.0.1]:80":      {Network: "tcp", Host: "127.0.0.1", Port: 80},
		"[fe80::1%eth0]:80":          {Network: "tcp", Host: "fe80::1%eth0", Port: 80},
		"tcp4::80":                   {Network: "tcp", Family: 4, Port: 80},
		"tcp6:*:80":                  {Network: "tcp", Family: 6, Port: 80},
		"tcp6:[::1]:80":              {Network: "tcp", Family: 6, Host: "::1", Port: 80},
		"udp:127.0.0.1:53":           {Network: "udp", Host: "127.0.0.1", Port: 53},
		"udp4:localhost:53":          {Network: "udp", Family: 4, Host: "localhost", Port: 53},
		"udp6::53":                   {Network: "udp", Family: 6, Port: 53},
		"unix:/run/x.sock":           {Network: "unix", Path: "/run/x.sock"},
		"unix:x=y,z.sock":            {Network: "unix", Path: "x=y,z.sock"},
		"unix:@abstract":             {Network: "unix", Path: "@abstract"},
		"systemd:web":                {Network: "systemd", Name: "web"},
		"systemd:brood@3.socket":     {Network: "systemd", Name: "brood@3.socket"},
		"tcp:[fe80::1%br-lan.2]:443": {Network: "tcp", Host: "fe80::1%br-lan.2", Port: 443},
	}
	for in, want := range tests {
		got, err := ParseAddress(in)
		if err != nil {
			t.Errorf("ParseAddress(%q): %v", in, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ParseAddress(%q): (-want +got)\n%s", in, diff)
		}
		again, err := ParseAddress(got.String())
		if err != nil || again != got {
			t.Errorf("ParseAddress(%q) = %+v, %v, want %+v", got.String(), again, err, got)
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":                      "no port",
		"8080":                  "written :8080",
		"localhost":             "no port",
		":http":                 "not a number",
		":-1":                   "not a number",
		":65536":                "not a number",
		":+80":                  "not a number",
		"example.org:80":        "neither an IP address nor localhost",
		"1.2.3:80":              "neither an IP address nor localhost",
		"::1:80":                "too many colons",
		"[::1]":                 "missing port",
		"tcp4:[::1]:80":         "not an IPv4 address",
		"tcp6:127.0.0.1:80":     "not an IPv6 address",
		"[fe80::1%a b]:80":      "not the name of an interface",
		"[127.0.0.1%eth0]:80":   "neither an IP address nor localhost",
		"sctp:127.0.0.1:80":     "too many colons",
		"unix:":                 "path is empty",
		"unix:@":                "path is empty",
		"unix:/a\x00b":          "zero byte",
		"systemd:":              "name is empty",
		"systemd:a:b":           "sign other than",
		"systemd:ä":             "sign other than",
		"udp:":                  "missing port",
		"http://127.0.0.1:8080": "too many colons",
	}
	for in, want := range tests {
		got, err := ParseAddress(in)
		if err == nil {
			t.Errorf("ParseAddress(%q) = %+v, want an error", in, got)
			continue
		}
		if !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "cannot read address") {
			t.Errorf("ParseAddress(%q): %v, want one about %q", in, err, want)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{":80", "[::1%lo]:80", "tcp6:*:1", "unix:@a", "systemd:x", "[::ffff:1.2.3.4]:0", "udp:localhost:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s)
		if err != nil {
			return
		}
		again, err := ParseAddress(a.String())
		if err != nil || again != a {
			t.Fatalf("%q is %+v, which is written %q and read back as %+v, %v", s, a, a.String(), again, err)
		}
	})
}
