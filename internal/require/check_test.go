package require_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/broodctl/brood/internal/require"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func parse(t testing.TB, text string) require.Requirement {
	t.Helper()
	r, err := require.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// listen opens a socket for the time of the test. It accepts nothing: a kernel's handshake is an answer.
func listen(t testing.TB, network, address string) string {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// closedPort is a port on which nobody listens: it stays bound for the time of the test, so that nobody can.
func closedPort(t testing.TB) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "socket")
	t.Cleanup(func() { f.Close() })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*syscall.SockaddrInet4).Port}).String()
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"key", "closed"} {
		if err := os.WriteFile(path(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(path("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	open, closed := listen(t, "tcp", "127.0.0.1:0"), closedPort(t)
	stream, packet := listen(t, "unix", path("stream")), listen(t, "unixpacket", path("packet"))
	abstract := listen(t, "unix", "@brood-require-"+filepath.Base(dir)+filepath.Base(filepath.Dir(dir)))
	datagram, err := net.ListenPacket("unixgram", path("datagram"))
	if err != nil {
		t.Fatal(err)
	}
	defer datagram.Close()
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path("dead"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()

	w := require.World{
		Dir: dir,
		Getenv: func(name string) (string, bool) {
			value, ok := map[string]string{"SET": "a:b,c;d", "EMPTY": ""}[name]
			return value, ok
		},
		Run: func(_ context.Context, command string) error {
			if command == "true" {
				return nil
			}
			return fmt.Errorf("exit status 2:\n%s", "no  response\n")
		},
	}
	tests := []struct {
		text, want string
		cause      error
	}{
		{text: "tcp://" + open},
		{text: "tcp://localhost:" + open[strings.LastIndex(open, ":")+1:]},
		{"tcp://" + closed, "tcp://" + closed + " does not answer: connection refused", syscall.ECONNREFUSED},
		{text: "unix://" + stream},
		{text: "unix:" + stream},
		{text: "unix:" + packet},
		{text: "unix:" + abstract},
		{text: "unix://" + path("datagram")},
		{"unix://" + path("dead"), "unix://" + path("dead") + " does not answer: connection refused", syscall.ECONNREFUSED},
		{"unix://" + path("none"), "unix://" + path("none") + " does not answer: no such file or directory", syscall.ENOENT},
		{"unix:@brood-nobody", "unix:@brood-nobody does not answer: connection refused", syscall.ECONNREFUSED},
		{text: "env:SET"},
		{text: "env:EMPTY", want: "environment variable EMPTY is empty"},
		{text: "env:HOME", want: "environment variable HOME is not set"},
		{text: "file:key"},
		{text: "file:" + path("key")},
		{text: "file:."},
		{text: "file:pipe"},
		{"file:none", "file " + path("none") + " cannot be read: no such file or directory", syscall.ENOENT},
		{"file:key/x", "file " + path("key/x") + " cannot be read: not a directory", syscall.ENOTDIR},
		{text: "exec:true"},
		{text: "exec:PGPASSWORD=geheim pg_isready -q", want: `command "PGPASSWORD=*** pg_isready -q" fails: exit status 2: no response`},
	}
	for _, tt := range tests {
		err := parse(t, tt.text).Check(t.Context(), w)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.text, err)
		case tt.want == "":
		case err == nil || !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "\n"):
			t.Errorf("%s: %v", tt.text, err)
		case tt.cause != nil && !errors.Is(err, tt.cause):
			t.Errorf("%s: %v has another cause", tt.text, err)
		}
	}
}

func TestCheckWithoutAWorld(t *testing.T) {
	for text, want := range map[string]string{
		"env:PATH":  "environment variable PATH is not set",
		"exec:true": `command "true" cannot be tried: no commands can be run here`,
	} {
		if err := parse(t, text).Check(t.Context(), require.World{}); err == nil || err.Error() != want {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := (require.Requirement{}).Check(t.Context(), require.World{}); err == nil {
		t.Error("a requirement that was not parsed holds")
	}
}
