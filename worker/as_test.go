package worker_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/testhost"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// stranger is a user that no file knows.
func stranger() *worker.Identity {
	return &worker.Identity{UID: 4711, GID: 4712, Groups: []uint32{4712, 4713}}
}

// openDir is a folder that every user can enter.
func openDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// openHelper is a helper whose file every user can execute.
func openHelper(t testing.TB, name string, args ...string) worker.Command {
	t.Helper()
	cmd := helper(t, name, args...)
	cmd.Argv[0] = copyFile(t, cmd.Argv[0], filepath.Join(openDir(t), "helper"))
	return cmd
}

func copyFile(t testing.TB, from, to string) string {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o755); err != nil {
		t.Fatal(err)
	}
	return to
}

func shell(script string) worker.Command {
	return worker.Command{Argv: []string{"/bin/sh", "-c", script}, Stdin: worker.DevNull, Stdout: worker.DevNull, Stderr: 2}
}

func TestAsAnotherUser(t *testing.T) {
	testhost.Need(t, testhost.Root)
	s := newSpawner(t)
	for _, mode := range modes {
		cmd := shell("cat /proc/self/status; ls -ld /proc/self/fd")
		cmd.As, cmd.ListenPID = stranger(), mode.shim
		text, exit := output(t, s, cmd)
		if !exit.Success() {
			t.Fatal(exit)
		}
		for _, want := range []string{
			"\nUid:\t4711\t4711\t4711\t4711\n", "\nGid:\t4712\t4712\t4712\t4712\n", "\nGroups:\t4712 4713 \n",
			"\nCapPrm:\t0000000000000000\n", "\nCapEff:\t0000000000000000\n", "\nCapAmb:\t0000000000000000\n",
			" 4711 4712 ", // its /proc belongs to it: it is dumpable, and so are its core and its stack to its owner
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", mode.name, want, text)
			}
		}
	}
}

// What the user may not enter is not entered for it, and what fails is told as such.
func TestAsErrors(t *testing.T) {
	testhost.Need(t, testhost.Root)
	closed, dir := t.TempDir(), openDir(t)
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	secret := copyFile(t, "/bin/true", filepath.Join(dir, "secret"))
	if err := os.Chmod(secret, 0o700); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		cmd   worker.Command
		stage worker.Stage
		errno syscall.Errno
		want  string
	}{
		{
			"dir",
			worker.Command{Argv: []string{"/bin/true"}, Dir: closed},
			worker.StageDir, syscall.EACCES,
			"cannot enter working directory for /bin/true as user 4711: permission denied",
		},
		{"no dir", worker.Command{Argv: []string{"/bin/true"}, Dir: dir + "/none"}, worker.StageDir, syscall.ENOENT, ""},
		{"program", worker.Command{Argv: []string{secret}}, worker.StageExec, syscall.EACCES, "cannot execute " + secret + " as user 4711: permission denied"},
		{"no program", worker.Command{Argv: []string{"./none"}, Dir: dir}, worker.StageLookup, syscall.ENOENT, ""},
		{
			"impossible user",
			worker.Command{Argv: []string{"/bin/true"}, As: &worker.Identity{UID: 1<<32 - 1, GID: 1<<32 - 1, Groups: []uint32{1<<32 - 1}}},
			worker.StageIdentity, syscall.EINVAL, "cannot run /bin/true as user 4294967295: invalid argument (the user namespace has no such user or group)",
		},
	}
	s := newSpawner(t)
	for _, tt := range tests {
		if tt.cmd.Stdin, tt.cmd.Stdout, tt.cmd.Stderr = -1, -1, -1; tt.cmd.As == nil {
			tt.cmd.As = stranger()
		}
		r := startAndWait(s, tt.cmd)
		var err *worker.ExecError
		if !errors.As(r.Err, &err) || err.Stage != tt.stage || !errors.Is(err, tt.errno) || tt.want != "" && err.Error() != tt.want {
			t.Errorf("%s: got %v", tt.name, r.Err)
		}
	}
}

// A supervisor without rights can be only what it is.
func TestAsWithoutRights(t *testing.T) {
	testhost.Need(t, testhost.Root)
	s := newSpawner(t)
	other := stranger()
	other.UID, other.Name = 33, "www-data"
	fewer := stranger()
	fewer.Groups = fewer.Groups[:1]
	tests := []struct {
		as   *worker.Identity
		want string
	}{
		{stranger(), "4711 4712 4712 4713\n"},
		{fewer, "4711 4712 4712 4713\n"},
		{other, "cannot run sh as user www-data: operation not permitted (that needs CAP_SETUID and CAP_SETGID)\n"},
	}
	for _, tt := range tests {
		cmd := openHelper(t, "supervise", plan{As: tt.as}.String(), "sh", "-c", "echo $(id -u) $(id -g) $(id -G)")
		cmd.As = stranger()
		r, w := newPipe(t)
		cmd.Stderr = w
		said, _ := output(t, s, cmd)
		_ = syscall.Close(w)
		complaint, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Replace(said+string(complaint), "/usr/bin/sh", "sh", 1); strings.Replace(got, "/bin/sh", "sh", 1) != tt.want {
			t.Errorf("%v: got %q", tt.as, got)
		}
	}
}

// A supervisor that is not root but may change users (AmbientCapabilities= of
// systemd.exec(5)) does not hand that power on.
func TestAmbientCapabilitiesAreNotHandedOn(t *testing.T) {
	testhost.Need(t, testhost.Root)
	as := stranger()
	as.UID++
	supervisor := openHelper(t, "supervise", plan{As: as}.String(), "grep", "-E", "^(Uid|Cap(Prm|Eff|Amb)):", "/proc/self/status")
	cmd := exec.Command(supervisor.Argv[0], supervisor.Argv[1:]...) // there is no spawner here that would reap it
	cmd.Env, cmd.Stderr = supervisor.Env, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: 4711, Gid: 4711},
		AmbientCaps: []uintptr{unix.CAP_SETUID, unix.CAP_SETGID},
	}
	got, err := cmd.Output()
	want := "Uid:\t4712\t4712\t4712\t4712\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapAmb:\t0000000000000000\n"
	if err != nil || string(got) != want {
		t.Errorf("got %q, %v", got, err)
	}
}

// The parent-death signal survives the change of the user, which clears it.
func TestOrphansOfAnotherUser(t *testing.T) {
	testhost.Need(t, testhost.Root)
	s := newSpawner(t)
	supervisor, lines := launchTalking(t, s, helper(t, "supervise", plan{As: stranger()}.String(), "sh", "-c", "echo up; exec cat"))
	if line, err := lines.ReadString('\n'); line != "up\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	if err := supervisor.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := lines.ReadByte(); !errors.Is(err, io.EOF) { // when the last that has the pipe is dead
		t.Error(err)
	}
}

func TestNotifyOfAnotherUser(t *testing.T) {
	testhost.Need(t, testhost.Root)
	n, news := openNotify(t)
	s := newSpawner(t)
	cmd := openHelper(t, "tell-ready")
	cmd.Env = append(cmd.Env, handshake.EnvNotifySocket+"="+n.Address())
	cmd.As = stranger()
	ignored := launch(t, s, cmd)
	if exit := <-ignored.exit; !exit.Success() {
		t.Fatal(exit)
	}
	cmd.As.UID++
	n.Trust(cmd.As.UID)
	heard := launch(t, s, cmd)
	if h := <-news; !h.msg.Ready || h.sender != heard.PID() {
		t.Errorf("got %+v, want ready from %d and not from %d", h, heard.PID(), ignored.PID())
	}
}

// Root sees how another user's process waits and handles signals; without
// CAP_SYS_PTRACE it is told that it may not look.
func TestObservingAnotherUser(t *testing.T) {
	testhost.Need(t, testhost.Root)
	s := newSpawner(t)
	cmd := openHelper(t, "catch")
	cmd.As = stranger()
	p, lines := launchTalking(t, s, cmd)
	if line, err := lines.ReadString('\n'); line != "up\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	var survey worker.Surveyor
	if got, err := survey.Handles(p.PID(), syscall.SIGHUP); err != nil || got != worker.CatchesAll {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := worker.Serving(p.PID(), []uint64{1}); err != nil {
		t.Error(err)
	}
	withoutPtrace(t, func() {
		if _, err := worker.Serving(p.PID(), []uint64{1}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("without CAP_SYS_PTRACE: got %v", err)
		}
	})
}

// withoutPtrace runs do on a thread without that capability.
func withoutPtrace(t *testing.T, do func()) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		onOwnThread(t, do)
	}()
	<-ended
}

func onOwnThread(t *testing.T, do func()) {
	// Never unlocked: the thread ends with the goroutine.
	runtime.LockOSThread()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		t.Error(err)
		return
	}
	data[0].Effective &^= 1 << unix.CAP_SYS_PTRACE
	if err := unix.Capset(&header, &data[0]); err != nil {
		t.Error(err)
		return
	}
	do()
}

func TestUmaskAndLimits(t *testing.T) {
	s := newSpawner(t)
	mask := uint32(0o137)
	limits := []worker.Limit{
		{Resource: unix.RLIMIT_NOFILE, Soft: 100, Hard: 200},
		{Resource: unix.RLIMIT_CORE, Soft: 0, Hard: 0},
		{Resource: unix.RLIMIT_AS, Soft: 64 << 20, Hard: 64 << 20}, // less than the shim has
		{Resource: unix.RLIMIT_CPU, Soft: unix.RLIM_INFINITY, Hard: unix.RLIM_INFINITY},
	}
	for _, mode := range modes {
		cmd := shell("umask; ulimit -Sn; ulimit -Hn; ulimit -c; ulimit -v; ulimit -t")
		cmd.Umask, cmd.Limits, cmd.ListenPID = &mask, limits, mode.shim
		cmd.Env = append(cmd.Env, "LONG="+strings.Repeat("x", 100<<10))
		if got, _ := output(t, s, cmd); got != "0137\n100\n200\n0\n65536\nunlimited\n" {
			t.Errorf("%s: got %q", mode.name, got)
		}
	}
	tests := []struct {
		limit worker.Limit
		errno syscall.Errno
		want  string
	}{
		{worker.Limit{Resource: unix.RLIMIT_NOFILE, Soft: 1 << 40, Hard: unix.RLIM_INFINITY}, syscall.EPERM, "cannot set nofile=1099511627776:infinity for /bin/true: operation not permitted (a hard limit"},
		{worker.Limit{Resource: unix.RLIMIT_CPU, Soft: 2, Hard: 1}, syscall.EINVAL, "cannot set cpu=2:1 for /bin/true: invalid argument (the soft"},
	}
	for _, tt := range tests {
		r := startAndWait(s, worker.Command{Argv: []string{"/bin/true"}, Limits: append(limits[1:2:2], tt.limit), Stdin: -1, Stdout: -1, Stderr: -1})
		var err *worker.ExecError
		if !errors.As(r.Err, &err) || err.Stage != worker.StageLimit || !errors.Is(err, tt.errno) || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", r.Err, tt.want)
		}
	}
}

// Go raises its own soft limit of open files as it begins. Workers get what the
// supervisor was started with: select(2) of old programs breaks beyond 1024.
func TestSoftLimitIsTheOriginal(t *testing.T) {
	s := newSpawner(t)
	for _, p := range []plan{{Direct: true}, {}, {Limits: []worker.Limit{{Resource: unix.RLIMIT_CORE}}}} {
		cmd := helper(t, "supervise", p.String(), "sh", "-c", "ulimit -Sn; ulimit -Hn")
		cmd.Limits = []worker.Limit{{Resource: unix.RLIMIT_NOFILE, Soft: 300, Hard: 400}}
		if got, _ := output(t, s, cmd); got != "300\n400\n" {
			t.Errorf("%v: got %q", p, got)
		}
	}
}
