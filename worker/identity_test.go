package worker

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const passwdFile = `# accounts
root:x:0:0:root:/root:/bin/bash
+::::::
app:x:1000:1000:The App,,,:/srv/app:/bin/sh
twin:x:1000:1001::/srv/twin:/bin/sh
4000:x:4001:4001::/home/number:/usr/sbin/nologin
broken:x:l000:1000::/:/bin/sh
short:x:5
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
`

const groupFile = `root:x:0:
app:x:1000:
+:::
ssl:x:110:app,daemon
www:x:33:daemon,app
bad:x:y:app
2000:x:2001:
`

func TestResolveIdentity(t *testing.T) {
	dir := t.TempDir()
	a := accounts{passwd: filepath.Join(dir, "passwd"), group: filepath.Join(dir, "group")}
	if err := errors.Join(os.WriteFile(a.passwd, []byte(passwdFile), 0o644), os.WriteFile(a.group, []byte(groupFile), 0o644)); err != nil {
		t.Fatal(err)
	}
	app := Identity{UID: 1000, GID: 1000, Groups: []uint32{33, 110, 1000}, Name: "app", Home: "/srv/app", Shell: "/bin/sh"}
	with := func(id Identity, gid uint32, groups ...uint32) *Identity {
		id.GID, id.Groups = gid, groups
		return &id
	}
	ours := Identity{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}
	tests := []struct {
		user, group string
		groups      []string
		want        *Identity
		err         string
	}{
		{want: nil},
		{user: "app", want: &app},
		{user: "1000", want: &app},
		{user: "app", group: "www", want: with(app, 33, 33, 110)},
		{user: "app", group: "7", groups: []string{"9", "root", "www"}, want: with(app, 7, 0, 7, 9, 33, 110)},
		{user: "twin", want: &Identity{UID: 1000, GID: 1001, Groups: []uint32{1001}, Name: "twin", Home: "/srv/twin", Shell: "/bin/sh"}},
		{user: "4000", want: &Identity{UID: 4001, GID: 4001, Groups: []uint32{4001}, Name: "4000", Home: "/home/number", Shell: "/usr/sbin/nologin"}},
		{user: "4711", group: "2000", want: &Identity{UID: 4711, GID: 2001, Groups: []uint32{2001}}},
		{group: "www", want: with(ours, 33, 33)},
		{groups: []string{"www"}, want: with(ours, ours.GID, ours.GID, 33)},
		{user: "4711", err: "cannot run as user 4711 without a group: there is no user 4711 in "},
		{user: "nope", err: "cannot run as user nope: there is no user nope in "},
		{user: "short", err: "there is no user short"},
		{user: "-1", group: "1", err: "there is no user -1"},
		{user: "4294967295", group: "1", err: "there is no user 4294967295"},
		{user: "broken", err: "user broken has no valid numbers"},
		{user: "app", group: "nope", err: "there is no group nope in "},
		{user: "app", group: "bad", err: "there is no group bad in "},
		{user: "app", groups: []string{""}, err: "there is no group  in "},
	}
	for _, tt := range tests {
		if os.Geteuid() != 0 && tt.user == "" {
			continue // the file above would have to know us
		}
		got, err := a.resolve(tt.user, tt.group, tt.groups)
		if diff := cmp.Diff(tt.want, got); diff != "" || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%q, %q, %q: got %v\n%s", tt.user, tt.group, tt.groups, err, diff)
		}
	}
	var unknown *UnknownAccountError
	if _, err := a.resolve("nope", "", nil); !errors.As(err, &unknown) || unknown.Kind != "user" || unknown.File != a.passwd {
		t.Errorf("got %v", err)
	}
	none := accounts{passwd: dir + "/none", group: dir + "/none"}
	if got, err := none.resolve("7", "8", nil); err != nil || got.UID != 7 || got.GID != 8 {
		t.Errorf("without files: %+v, %v", got, err)
	}
}

func TestEnvironOfAUser(t *testing.T) {
	env := []string{"HOME=/root", "PATH=/bin", "USER=root", "SHELL=/bin/zsh", "LOGNAME=root", "BROOD_SLOT=0", "HOME=/data"}
	b := Rendered{Env: env, inherited: 5}
	if id, err := b.Identify(); id != nil || err != nil || !cmp.Equal(b.Env, env) {
		t.Errorf("for nobody: %v, %v, %q", id, err, b.Env)
	}
	b.User = "root"
	for range 2 {
		if _, err := b.Identify(); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(b.Env, " ")
		if !strings.HasPrefix(got, "PATH=/bin USER=root LOGNAME=root SHELL=/bin/") || !strings.HasSuffix(got, " BROOD_SLOT=0 HOME=/data") {
			t.Errorf("got %s", got)
		}
	}
	daemon := &Identity{Name: "daemon", Home: "/usr/sbin", Shell: "/usr/sbin/nologin"}
	got, _ := daemon.environ(env[:6], 5)
	if diff := cmp.Diff([]string{"PATH=/bin", "USER=daemon", "LOGNAME=daemon", "HOME=/usr/sbin", "BROOD_SLOT=0"}, got); diff != "" {
		t.Error(diff)
	}
	if got, _ := (&Identity{}).environ(env[:6], 5); len(got) != 2 {
		t.Errorf("of an unknown user: %q", got)
	}
}

func TestExitSet(t *testing.T) {
	set := ExitSet{Codes: []int{3, CodeUnknown}, Signals: []syscall.Signal{syscall.SIGTERM}}
	for status, want := range map[syscall.WaitStatus]bool{0: true, 3 << 8: true, 4 << 8: false, 15: true, 143 << 8: true, 9: false, 137 << 8: false} {
		if e := newExit(1, status, &syscall.Rusage{}); set.Has(e) != want {
			t.Errorf("%#x: clean: %v", status, !want)
		}
	}
	if set.Has(Exit{Code: CodeUnknown}) || (ExitSet{}).Has(Exit{Code: 3}) || !(ExitSet{}).Has(Exit{}) {
		t.Error("an unknown status is no success, and 0 always is")
	}
}
