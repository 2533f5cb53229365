package require_test

import (
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/require"
)

var wellWritten = []string{
	"tcp://127.0.0.1:5432", "tcp://[::1]:80", "tcp://[fe80::1%eth0]:80", "tcp://db.internal:5432", "tcp://a_b:1", "tcp:localhost:65535", "tcp://db.:1",
	"unix:///run/x.sock", "unix:/run/x.sock", "unix:@abstract", "unix://@abstract",
	"env:API_KEYS", "env:spring.url",
	"file:/etc/key", "file:///etc/key", "file:key", "file:../key", "file:with space",
	"exec:pg_isready -q", "exec:psql postgres://app@127.0.0.1/x", "exec:psql \"postgres://app:$PW@db/x\"", "exec:curl -fsS http://127.0.0.1:80/a:b",
}

func TestParse(t *testing.T) {
	seen := map[require.Requirement]bool{}
	for _, text := range wellWritten {
		r, err := require.Parse(text)
		if err != nil {
			t.Error(err)
			continue
		}
		again, _ := require.Parse(text)
		if r.String() != text || r != again || seen[r] {
			t.Errorf("%q became %q", text, r)
		}
		seen[r] = true
	}
}

func TestParseRefuses(t *testing.T) {
	const secret = "hunter2"
	tests := []struct{ text, want string }{
		{"", `requirement "": write tcp://HOST:PORT, unix:///PATH, env:NAME, file:PATH or exec:COMMAND`},
		{"API_KEYS", `requirement "API_KEYS": write`},
		{"TCP://a:1", "cannot read requirement: write tcp://HOST:PORT for"},
		{"127.0.0.1:80", "cannot read requirement: write tcp://HOST:PORT, unix"},
		{"http://127.0.0.1/ready", "requirement http:...: tcp://HOST:PORT waits for the port; exec:curl"},
		{"postgresql://app:" + secret + "@db:5432/x", "requirement postgresql:...: write tcp://HOST:PORT for the server behind a URL"},
		{"//app" + secret + "@db", "cannot read requirement: write"},
		{"app:" + secret + "@db:5432", "requirement app:...: write tcp"},
		{secret + "@db:5432", "cannot read requirement: write tcp"},
		{"tcp://app:" + secret + "@db:5432", "needs no user, password or query"},
		{"tcp://db:5432?password=" + secret, "needs no user, password or query"},
		{"tcp://db:5432/" + secret, "needs no path"},
		{"tcp://db:5432#" + secret, "needs no path"},
		{"tcp://db", "missing port in address: write tcp://HOST:PORT"},
		{"tcp://::1:80", "too many colons in address: write tcp://HOST:PORT, or tcp://[::1]:PORT"},
		{"tcp://:80", "the host is missing: write tcp://127.0.0.1:PORT"},
		{"tcp://0.0.0.0:80", "0.0.0.0 is where one listens"},
		{"tcp://[::]:80", ":: is where one listens"},
		{"tcp://[::ffff:0.0.0.0]:80", "is where one listens"},
		{"tcp://db:0", `port "0" is not a number from 1 to 65535`},
		{"tcp://db:65536", `port "65536" is not`},
		{"tcp://db:http", `port "http" is not`},
		{"tcp://db:", `port "" is not`},
		{"tcp://a b:1", `"a b" is neither an IP address nor the name of a host`},
		{"tcp://-a:1", `"-a" is neither`},
		{"tcp://[fe80::1%a b]:1", `zone "a b" is not the name of an interface`},
		{"unix:", "the path is missing"},
		{"unix://@", "the path is missing"},
		{"unix://run/x.sock", "not absolute: write unix:///run/NAME.sock, with three slashes"},
		{"unix:///" + strings.Repeat("x", 107), "has 108 bytes, and a unix socket's can have 107"},
		{"unix:///a\x00b", "NUL"},
		{"env:", "the name of the variable is missing"},
		{"env:$HOME", "without $"},
		{"env:A=" + secret, "a value cannot be required"},
		{"env:A B", "has no spaces"},
		{"env:A\x00", "NUL"},
		{"file:", "the path is missing"},
		{"file://etc/key", "write file:/PATH"},
		{"file:/a\x00", "NUL"},
		{"exec:", "the command is missing"},
		{"exec: \t", "the command is missing"},
		{"exec:a\x00", "NUL"},
		{"exec:psql postgres://app:" + secret + "@db/x", "there is a password in it"},
		{"exec:redis-cli -u redis://:" + secret + "@db ping", "there is a password in it"},
	}
	for _, tt := range tests {
		r, err := require.Parse(tt.text)
		if err == nil || r != (require.Requirement{}) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %q, %v, want %s", tt.text, r, err, tt.want)
			continue
		}
		if strings.Contains(err.Error(), secret) || strings.ContainsAny(err.Error(), "\n\x00") {
			t.Errorf("%q: %v", tt.text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range wellWritten {
		f.Add(text)
	}
	f.Add("tcp://app:hunter2@db:5432")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := require.Parse(text)
		if err == nil {
			if again, err := require.Parse(r.String()); r.String() != text || again != r || err != nil {
				t.Errorf("%q came back as %q, %v", text, again, err)
			}
			return
		}
		if message := err.Error(); r != (require.Requirement{}) || message == "" || strings.ContainsAny(message, "\n\r\x00") {
			t.Errorf("%q: %q, %q", text, r, message)
		}
		// What follows the scheme of a URL with somebody in it is nobody's business.
		if _, rest, ok := strings.Cut(text, "://"); ok {
			if user, _, ok := strings.Cut(rest, "@"); ok && len(user) > 20 && strings.Contains(err.Error(), user) {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}
