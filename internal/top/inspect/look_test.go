package inspect

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// family is a shell with a child, and pipes to say when they are there. Its environment has a secret, its command line another.
func family(t *testing.T) (pid, child int) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", `exec 3<&0; sh -c 'echo $$; read x' <&3 & wait`, "name", "--password=p4ss", "--api-token", "t0ken")
	cmd.Env = []string{"BROOD_SLOT=3", "API_KEY=k3y", "DB=postgres://u:p@db/x", "FROM_FILE=cr3d", "PLAIN=text"}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	said, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	child, err = strconv.Atoi(strings.TrimSpace(said))
	if err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid, child
}

func TestLook(t *testing.T) {
	pid, child := family(t)
	r := Look(pid, os.Getpid(), Secrets{Names: []string{"FROM_FILE"}})
	if err := errors.Join(r.NoProcesses, r.NoFiles, r.NoLimits, r.NoEnviron); err != nil {
		t.Fatalf("%v: %+v", err, r)
	}
	if len(r.Processes) != 2 || r.Processes[0].PID != pid || r.Processes[1].PID != child || r.Processes[1].Depth != 1 {
		t.Errorf("processes %+v, want %d and below it %d", r.Processes, pid, child)
	}
	if p := r.Processes[0]; p.Name != "sh" || p.Threads != 1 || p.Memory == 0 {
		t.Errorf("%+v", p)
	}
	line := strings.Join(r.Processes[0].Command, " ")
	if !strings.HasSuffix(line, "name --password=(hidden) --api-token (hidden)") {
		t.Errorf("the command line is %s", line)
	}
	pipes := slices.IndexFunc(r.Files.Kinds, func(k Kind) bool { return k.Name == "pipe" })
	if pipes < 0 || r.Files.Kinds[pipes].Count < 2 || r.Files.Total < 3 || r.Files.Open[0].FD != 0 {
		t.Errorf("files %+v", r.Files)
	}
	if !slices.ContainsFunc(r.Limits, func(l Limit) bool { return l.Name == "open files" && l.Unit == "files" && l.Soft != "" && l.Hard != "" }) {
		t.Errorf("limits %+v", r.Limits)
	}
	want := []Variable{
		{Name: "API_KEY", Hidden: true},
		{Name: "BROOD_SLOT", Value: "3"},
		{Name: "DB", Hidden: true},
		{Name: "FROM_FILE", Hidden: true},
		{Name: "PLAIN", Value: "text"},
		{Name: "PWD", Value: "/"},
	}
	got := slices.DeleteFunc(r.Environ, func(v Variable) bool { return v.Name == "PWD" })
	if !slices.Equal(got, want[:5]) {
		t.Errorf("environment %+v", r.Environ)
	}
}

// Without word about credentials only what cannot be a secret is shown.
func TestUnknownSecrets(t *testing.T) {
	pid, _ := family(t)
	for _, v := range Look(pid, os.Getpid(), Secrets{Unknown: true}).Environ {
		if !v.Hidden && v.Name != "BROOD_SLOT" && v.Name != "PWD" || v.Hidden && v.Value != "" {
			t.Errorf("%+v", v)
		}
	}
}

func TestForeignAndGone(t *testing.T) {
	pid, child := family(t)
	for _, tc := range []struct {
		pid, parent int
		want        error
	}{
		{child, os.Getpid(), ErrForeign}, // another one's child
		{pid, 1 << 22, ErrForeign},
		{1 << 22, 1 << 22, ErrForeign}, // neither is here
		{1 << 22, os.Getpid(), ErrGone},
	} {
		r := Look(tc.pid, tc.parent, Secrets{})
		for _, err := range []error{r.NoProcesses, r.NoFiles, r.NoLimits, r.NoEnviron} {
			if !errors.Is(err, tc.want) {
				t.Errorf("%d of %d: %v, want %v", tc.pid, tc.parent, err, tc.want)
			}
		}
	}
}

// Who may not look is told so, of each part that has rights of its own.
func TestDenied(t *testing.T) {
	pid, parent := 1, 0
	if os.Geteuid() == 0 {
		pid, _ = family(t)
		parent = os.Getpid()
	}
	seen := make(chan Report)
	go func() {
		if parent != 0 {
			runtime.LockOSThread() // and never unlocked: the thread ends with its rights
			const nobody = 65534
			_, _, _ = syscall.RawSyscall(syscall.SYS_SETRESUID, nobody, nobody, nobody)
		}
		seen <- Look(pid, parent, Secrets{})
	}()
	r := <-seen
	for what, err := range map[string]error{"files": r.NoFiles, "environment": r.NoEnviron} {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if r.NoProcesses != nil || len(r.Processes) == 0 {
		t.Errorf("everybody may see processes: %v", r.NoProcesses)
	}
}

// A worker's orphans belong to the supervisor, and are found by their group.
func TestOrphans(t *testing.T) {
	root := proc(t.TempDir())
	for pid, text := range map[int]string{
		10: "10 (brood) S 1 10", 20: "20 (sh) S 10 20", 21: "21 (a) b) R 20 20", 30: "30 (daemon) S 10 20", 40: "40 (other) S 10 40",
	} {
		files := map[string]string{"stat": text + strings.Repeat(" 1", 40), "task/" + strconv.Itoa(pid) + "/children": ""}
		switch pid {
		case 10:
			files["task/10/children"] = "20 30 40 "
		case 20:
			files["task/20/children"] = "21 99 "
		}
		for name, text := range files {
			file := root.path(pid, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	all, err := root.tree(20, 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range all {
		got = append(got, strings.Repeat("-", p.Depth)+p.Name)
	}
	if want := []string{"sh", "-a) b", "-daemon"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
