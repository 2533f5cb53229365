package control

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestWhoMayAsk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	self, group, other := os.Geteuid(), os.Getegid(), 1<<20
	lists := Access{Read: &Grant{UIDs: []int{other + 1}, GIDs: []int{other + 2}}, Write: &Grant{UIDs: []int{other + 3}, GIDs: []int{other + 4}}}
	readers := Access{Read: lists.Read}
	for _, tc := range []struct {
		name   string
		who    caller
		mode   os.FileMode
		access Access
		may    permission
	}{
		{"root", caller{uid: 0, gid: other}, 0o660, Access{}, mayWrite},
		{"we", caller{uid: self, gid: other}, 0o660, Access{}, mayWrite},
		{"a member", caller{uid: other, gid: group}, 0o660, Access{}, mayWrite},
		{"a supplementary member", caller{uid: other, gid: other, groups: []int{7, group}}, 0o660, Access{}, mayWrite},
		{"a member when the mode is private", caller{uid: other, gid: group}, 0o600, Access{}, mayNothing},
		{"a stranger", caller{uid: other, gid: other, groups: []int{other}}, 0o660, Access{}, mayNothing},
		{"a stranger when the mode is open", caller{uid: other, gid: other}, 0o666, Access{}, mayWrite},
		{"root beside lists", caller{uid: 0, gid: other}, 0o666, lists, mayWrite},
		{"we beside lists", caller{uid: self, gid: other}, 0o666, lists, mayWrite},
		{"a stranger to lists", caller{uid: other, gid: other}, 0o666, lists, mayNothing},
		{"a member when there are lists", caller{uid: other, gid: group}, 0o666, lists, mayNothing},
		{"a listed reader", caller{uid: other + 1, gid: other}, 0o666, lists, mayRead},
		{"a reader by group", caller{uid: other, gid: other, groups: []int{other + 2}}, 0o666, lists, mayRead},
		{"a listed writer", caller{uid: other + 3, gid: other}, 0o666, lists, mayWrite},
		{"a writer by primary group", caller{uid: other, gid: other + 4}, 0o666, lists, mayWrite},
		{"a reader and writer", caller{uid: other + 1, gid: other + 4}, 0o666, lists, mayWrite},
		{"a member beside readers", caller{uid: other, gid: group}, 0o666, readers, mayWrite},
		{"a stranger beside readers", caller{uid: other, gid: other}, 0o666, readers, mayNothing},
		{"a member when nobody is to write", caller{uid: other, gid: group}, 0o666, Access{Write: &Grant{}}, mayNothing},
	} {
		if err := os.Chmod(path, tc.mode); err != nil {
			t.Fatal(err)
		}
		if got := tc.who.may(path, tc.access); got != tc.may {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.may)
		}
	}
	if (caller{uid: other, gid: group}).may(path+".none", Access{}) != mayNothing {
		t.Error("a stranger may use what is not there")
	}
}

func TestGuardRefusesWithForbidden(t *testing.T) {
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("let through") })
	path := filepath.Join(t.TempDir(), "none.sock")
	for name, ctx := range map[string]context.Context{
		"stranger": context.WithValue(t.Context(), callerKey{}, identified{caller: caller{uid: 1 << 20, gid: 1 << 20}}),
		"unknown":  t.Context(),
	} {
		w := httptest.NewRecorder()
		guard(path, Access{}, next).ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, PathStatus, nil))
		if w.Code != http.StatusForbidden {
			t.Errorf("%s: status %d", name, w.Code)
		}
	}
}

// TestRefusedClient is about a server that refuses after the kernel did not.
func TestRefusedClient(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(guard(path, Access{}, http.NotFoundHandler())) // nobody tells it who asks
	_ = server.Listener.Close()
	server.Listener = l
	server.Start()
	defer server.Close()
	_, err = NewClient(path).Status(t.Context())
	denied, ok := errors.AsType[*DeniedError](err)
	if !ok || denied.Path != path || denied.Code != CodeForbidden || !strings.Contains(denied.Error(), "cannot find out who asks") || !strings.Contains(denied.Hint(), "group") {
		t.Errorf("Status: %v", err)
	}
	if err := os.Chmod(path, 0o666); err != nil { // as with lists
		t.Fatal(err)
	}
	if hint := denied.Hint(); !strings.Contains(hint, "[supervisor.control]") {
		t.Errorf("a group does not count beside lists: %s", hint)
	}
}

func TestCallerOfAConnection(t *testing.T) {
	socket, err := Listen(filepath.Join(t.TempDir(), "web.sock"), Access{})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Remove()
	defer socket.Close()
	conn, err := NewClient(socket.path).dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	accepted, err := socket.door.Attend().Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	who, err := callerOf(accepted)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(groups)
	if who.uid != os.Geteuid() || who.gid != os.Getegid() || who.pid != os.Getpid() || !slices.Equal(who.groups, groups) {
		t.Errorf("%+v, want our own and groups %v", who, groups)
	}
}
