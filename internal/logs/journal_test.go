package logs

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// fakeJournald listens as systemd-journald does.
func fakeJournald(t testing.TB, path string) *net.UnixConn {
	t.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// entry reads one record.
func entry(t testing.TB, c *net.UnixConn) map[string]string {
	t.Helper()
	b := make([]byte, 256<<10)
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	for line := range strings.Lines(string(b[:n])) {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok || m[key] != "" {
			t.Fatalf("bad record %q", b[:n])
		}
		m[key] = value
	}
	return m
}

func journalHouse(t testing.TB) (*house, string) {
	path := filepath.Join(t.TempDir(), "socket")
	return newHouse(t, func(o *Options) { o.Journal = path }), path
}

func TestJournald(t *testing.T) {
	h, path := journalHouse(t)
	c := fakeJournald(t, path)
	s := h.open(t, "web.2", Journald)
	long := strings.Repeat("x", maxLine)
	for _, tt := range []struct{ stream, line, priority, message string }{
		{"stdout", "hello", "6", "hello"},
		{"stderr", "oops = bad", "4", "oops = bad"},
		{"stderr", "<3>error", "3", "error"},
		{"stdout", "<7>", "7", ""},
		{"stdout", "<8>no", "6", "<8>no"},
		{"stdout", "BROOD_POOL=evil", "6", "BROOD_POOL=evil"},
		{"stdout", long, "6", long},
	} {
		fd := map[string]int{"stdout": s.Stdout(), "stderr": s.Stderr()}[tt.stream]
		say(t, fd, tt.line+"\n")
		m := entry(t, c)
		for key, want := range map[string]string{
			"MESSAGE": tt.message, "PRIORITY": tt.priority, "SYSLOG_IDENTIFIER": "web.2", "BROOD_POOL": "web", "BROOD_SLOT": "2",
			"BROOD_WORKER_ID": "102", "BROOD_STREAM": tt.stream,
		} {
			if m[key] != want {
				t.Errorf("%.20q: %s is %.40q, want %.40q", tt.line, key, m[key], want)
			}
		}
	}
	w := dup(t, s.Stdout())
	defer syscall.Close(w)
	s.Spawned(4711)
	say(t, w, "now\n")
	if m := entry(t, c); m["SYSLOG_PID"] != "4711" {
		t.Errorf("%v", m)
	}
}

// What is written while journald is away waits for it.
func TestJournaldRestarts(t *testing.T) {
	h, path := journalHouse(t)
	c := fakeJournald(t, path)
	s := h.open(t, "web.0", Journald)
	say(t, s.Stdout(), "one\n")
	if m := entry(t, c); m["MESSAGE"] != "one" {
		t.Fatal(m)
	}
	for range 3 {
		_ = c.Close()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		say(t, s.Stdout(), "two\nthree\n")
		c = fakeJournald(t, path)
		for _, want := range []string{"two", "three"} {
			if m := entry(t, c); m["MESSAGE"] != want {
				t.Errorf("%v, want %s", m, want)
			}
		}
	}
	if h.Lost() != 0 {
		t.Errorf("%d bytes lost", h.Lost())
	}
}

// Where datagrams may not be that large a record goes as a file, and holds up nobody.
func TestRecordLargerThanADatagram(t *testing.T) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fds[0])
	defer syscall.Close(fds[1])
	if err := syscall.SetsockoptInt(fds[0], syscall.SOL_SOCKET, syscall.SO_SNDBUF, 4096); err != nil {
		t.Fatal(err)
	}
	record := "MESSAGE=" + strings.Repeat("x", maxLine) + "\n"
	if err := sendRecord(fds[0], -1, []byte(record)); err != nil {
		t.Fatal(err)
	}
	rights := make([]byte, 64)
	n, size, _, _, err := syscall.Recvmsg(fds[1], make([]byte, 16), rights, 0)
	if err != nil || n != 0 {
		t.Fatal(n, err)
	}
	messages, err := syscall.ParseSocketControlMessage(rights[:size])
	if err != nil || len(messages) != 1 {
		t.Fatal(messages, err)
	}
	files, err := syscall.ParseUnixRights(&messages[0])
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	file := os.NewFile(uintptr(files[0]), "record")
	defer file.Close()
	got := make([]byte, len(record)+1)
	if n, _ := file.ReadAt(got, 0); string(got[:n]) != record {
		t.Errorf("%d bytes, %.20q", n, got)
	}
	if _, err := file.WriteAt([]byte("x"), 0); err == nil {
		t.Error("it is not sealed, and journald takes no other")
	}
}

// A journald that is stuck blocks nobody.
func TestStuckJournald(t *testing.T) {
	h, path := journalHouse(t)
	c := fakeJournald(t, path)
	s := h.open(t, "web.0", Journald)
	const count = 100_000
	for range count / 100 {
		say(t, s.Stdout(), strings.Repeat("0123456789012345678901234567890123456789012345678\n", 100))
	}
	s.Spawned(1)
	s.Close()
	seen := uint64(0)
	for lost := uint64(0); lost == 0; lost = h.Stats()[0].LostLines {
		_ = entry(t, c)
		seen++
	}
	stat := h.Stats()[0]
	if stat.Lines != count || stat.LostLines == 0 || stat.LostLines >= count {
		t.Errorf("%+v", stat)
	}
	for range count - int(stat.LostLines) - int(seen) {
		_ = entry(t, c)
	}
}
