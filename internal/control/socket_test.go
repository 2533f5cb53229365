package control

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOneNameOneSupervisor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "brood", "web.sock")
	first, err := Listen(path, Access{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path, Access{}); !errors.Is(err, ErrTaken) {
		t.Errorf("second: %v, want ErrTaken", err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	_ = first.Close()
	first.Remove()
	again, err := Listen(path, Access{})
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	_ = again.Close()
	again.Remove()
}

func TestRemainsOfAKilledSupervisorAreClearedAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.sock")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	_ = dead.Close()
	if err := os.WriteFile(path+".lock", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Listen(path, Access{})
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	s.Remove()
}

// TestLongPaths: a path serves as long as clients can connect to it, also when the one that it is made at cannot.
func TestLongPaths(t *testing.T) {
	dir, err := os.MkdirTemp("", "b") // shorter than the test's own
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	dir = filepath.Join(dir, strings.Repeat("d", 107-len(dir)-len("/")-len("/w.sock")))
	s, err := Listen(filepath.Join(dir, "w.sock"), Access{})
	if err != nil {
		t.Fatalf("107 bytes: %v", err)
	}
	server := Serve(s, &fake{}, Options{})
	if _, err := NewClient(s.path).Status(t.Context()); err != nil {
		t.Errorf("107 bytes: %v", err)
	}
	server.Close()
	s.Remove()
	if s, err := Listen(filepath.Join(dir, "ww.sock"), Access{}); !errors.Is(err, ErrPathLong) {
		t.Errorf("108 bytes: %v", err)
		if err == nil {
			_ = s.Close()
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDefaultPath(t *testing.T) {
	for _, tc := range []struct {
		name string
		env  map[string]string
		uid  int
		want string
	}{
		{"root", nil, 0, "/run/brood/web.sock"},
		{"a unit", map[string]string{"RUNTIME_DIRECTORY": "/run/shop:/run/more", "XDG_RUNTIME_DIR": "/run/user/7"}, 7, "/run/shop/web.sock"},
		{"a user", map[string]string{"XDG_RUNTIME_DIR": "/run/user/7"}, 7, "/run/user/7/brood/web.sock"},
		{"a user without a session", nil, 7, filepath.Join(os.TempDir(), "brood-7", "web.sock")},
	} {
		if got := DefaultPath(func(k string) string { return tc.env[k] }, tc.uid, "web"); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, good := range []string{"web", "web.1", "a@b", "A-b_c"} {
		if err := CheckName(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", ".web", "a/b", "../x", "a b", "web\n", string(make([]byte, 65))} {
		if err := CheckName(bad); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
