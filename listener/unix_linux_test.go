package listener

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestUnixSocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.sock")
	// What is in the way is stale: its maker is gone without removing it.
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	must(t, err)
	stale.SetUnlinkOnClose(false)
	must(t, stale.Close())

	flag := "unix:" + path + ",perm=0620"
	if os.Geteuid() == 0 {
		flag += ",owner=65534:12"
	}
	events := make(chan Event, 1)
	set, listeners, err := openSet(configs(t, flag), nil, 3, options(t, events))
	must(t, err)
	l := listeners[0]
	var st unix.Stat_t
	must(t, unix.Lstat(path, &st))
	if st.Mode != unix.S_IFSOCK|0o620 {
		t.Errorf("mode is %o, want 620", st.Mode)
	}
	if os.Geteuid() == 0 && (st.Uid != 65534 || st.Gid != 12) {
		t.Errorf("owner is %d:%d, want 65534:12", st.Uid, st.Gid)
	}
	if l.Mode() != Shared || l.FD(0, A) != l.FD(2, B) || l.Port(1) != 0 || l.Address().HostPort() != path {
		t.Errorf("mode %s, descriptors %d and %d, port %d, at %s", l.Mode(), l.FD(0, A), l.FD(2, B), l.Port(1), l.Address().HostPort())
	}
	must(t, l.Steer([]Member{{0, A}}))
	must(t, l.Abandon(0, A))
	must(t, l.Grow(5))
	serve(t, l, 0, A)
	if who, err := ask(net.Dial("unix", path)); err != nil || who != "0A" {
		t.Errorf("got %q, %v", who, err)
	}
	must(t, set.Close())
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 0 {
		t.Errorf("Close left %v, %v", left, err)
	}
}

func TestUnixDefaultPerm(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.sock")
	open(t, 1, "unix:"+path)
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != fs.ModeSocket|0o660 {
		t.Errorf("mode is %v, %v, want 660", info.Mode(), err)
	}
}

func TestUnixRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.WriteFile(at("file"), []byte("precious"), 0o600))
	live, err := net.Listen("unix", at("live"))
	must(t, err)
	t.Cleanup(func() { _ = live.Close() })
	dgram, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: at("dgram"), Net: "unixgram"})
	must(t, err)
	t.Cleanup(func() { _ = dgram.Close() })
	lock, err := acquire(at("locked") + ".lock")
	must(t, err)
	t.Cleanup(lock.release)
	abstract, err := net.Listen("unix", fmt.Sprintf("@brood-test-%d", os.Getpid()))
	must(t, err)
	t.Cleanup(func() { _ = abstract.Close() })

	tests := []struct {
		name, flag string
		want       error
		hint       string
	}{
		{"a file", "unix:" + at("file"), errNotSocket, "remove the file"},
		{"a live socket", "unix:" + at("live"), ErrInUse, "stop it"},
		{"a live datagram socket", "unix:" + at("dgram"), ErrInUse, "stop the process"},
		{"a lock", "unix:" + at("locked"), ErrInUse, "stop the process"},
		{"an abstract name", "unix:" + abstract.Addr().String(), unix.EADDRINUSE, "stop it"},
		{"no directory", "unix:" + at("no/x.sock"), fs.ErrNotExist, "make the directory " + at("no")},
		{"a long path", "unix:/" + strings.Repeat("x", 107), errPathLong, "shorter directory"},
		{"an unknown owner", "unix:" + at("y") + ",owner=nobody-knows-him", nil, ""},
	}
	before, err := os.ReadDir(dir)
	must(t, err)
	for _, tt := range tests {
		set, _, err := openSet(configs(t, tt.flag), nil, 1, options(t, make(chan Event, 1)))
		if err == nil {
			_ = set.Close()
			t.Errorf("%s: opened", tt.name)
			continue
		}
		var open *OpenError
		if !errors.As(err, &open) || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(open.Hint(), tt.hint) {
			t.Errorf("%s: %v (hint %q), want %v", tt.name, err, open.Hint(), tt.want)
		}
	}
	after, err := os.ReadDir(dir)
	if err != nil || len(after) != len(before) {
		t.Errorf("was %v, is %v, %v", before, after, err)
	}
	if data, err := os.ReadFile(at("file")); err != nil || string(data) != "precious" {
		t.Errorf("the file is %q, %v", data, err)
	}
}

func TestUnixLongestPathAndAbstract(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "s")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	long := filepath.Join(dir, strings.Repeat("x", maxPath-len(dir)-1))
	for _, path := range []string{long, fmt.Sprintf("@brood-test-own-%d", os.Getpid())} {
		l := open(t, 1, "unix:"+path).first()
		serve(t, l, 0, A)
		if who, err := ask(net.Dial("unix", path)); err != nil || who != "0A" {
			t.Errorf("%s: got %q, %v", path, who, err)
		}
	}
}

// TestUnixFileOfAnother: somebody has put his own socket in our place; it is his to remove.
func TestUnixFileOfAnother(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.sock")
	set, _, err := openSet(configs(t, "unix:"+path), nil, 1, options(t, make(chan Event, 1)))
	must(t, err)
	must(t, os.Remove(path))
	other, err := net.Listen("unix", path)
	must(t, err)
	defer other.Close()
	must(t, set.Close())
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the socket of another is gone: %v", err)
	}
}

func TestUnixSecondSupervisor(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.sock")
	said, pid := runGuest(t, "unix:"+path, nil)
	if said.Error != "" {
		t.Fatal(said.Error)
	}
	_, _, err := openSet(configs(t, "unix:"+path), nil, 1, options(t, make(chan Event, 1)))
	var open *OpenError
	if !errors.As(err, &open) || !errors.Is(err, ErrInUse) || !strings.HasPrefix(open.Owner, fmt.Sprintf("pid %d (", pid)) {
		t.Errorf("got %v, want pid %d to be named", err, pid)
	}
	if conn, err := net.Dial("unix", path); err != nil {
		t.Errorf("the first one's socket is spoiled: %v", err)
	} else {
		_ = conn.Close()
	}
	// Killed, it leaves file and lock behind, and neither is in the way.
	second := filepath.Join(t.TempDir(), "y.sock")
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleEnv+"=unix:"+second)
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	_, err = out.Read(make([]byte, 1))
	must(t, err)
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	_ = in.Close()
	if _, err := os.Lstat(second + ".lock"); err != nil {
		t.Errorf("the lock file is gone: %v", err)
	}
	openWith(t, 1, nil, "unix:"+second)
}
