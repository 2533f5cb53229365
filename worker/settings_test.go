package worker_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/testhost"
	"github.com/broodctl/brood/worker"
)

// seen is what /proc says of a process.
type seen struct{ nice, ioprio, oom, cpus, noNewPrivs, bound, effective, ambient string }

func look(t *testing.T, pid int) seen {
	t.Helper()
	read := func(name string) string {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	stat := read("stat")
	priority, _, errno := syscall.Syscall(unix.SYS_IOPRIO_GET, 1, uintptr(pid), 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	s := seen{
		nice:   strings.Fields(stat[strings.LastIndexByte(stat, ')'):])[17], // the 19th of proc_pid_stat(5)
		ioprio: fmt.Sprintf("%d:%d", priority>>13, priority&7), oom: read("oom_score_adj"),
	}
	for line := range strings.Lines(read("status")) {
		name, value, _ := strings.Cut(line, ":\t")
		if into := map[string]*string{
			"Cpus_allowed_list": &s.cpus, "NoNewPrivs": &s.noNewPrivs, "CapBnd": &s.bound, "CapEff": &s.effective, "CapAmb": &s.ambient,
		}[name]; into != nil {
			*into = strings.TrimLeft(strings.TrimSpace(value), "0")
		}
	}
	return s
}

// lookAt launches a process that waits, and looks at it.
func lookAt(t *testing.T, s *worker.Spawner, cmd worker.Command) seen {
	t.Helper()
	cmd.Argv, cmd.Stdout, cmd.Stderr = []string{"/bin/cat"}, worker.DevNull, 2
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	cmd.Stdin = int(r.Fd())
	return look(t, launch(t, s, cmd).PID())
}

// allowedCPUs are those that the tests may use.
func allowedCPUs(t *testing.T) []int {
	t.Helper()
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		t.Fatal(err)
	}
	var all []int
	for cpu := range 1024 {
		if set.IsSet(cpu) {
			all = append(all, cpu)
		}
	}
	return all
}

func bits(n uint64) string { return strconv.FormatUint(n, 16) }

const (
	bind = 1 << unix.CAP_NET_BIND_SERVICE
	chow = 1 << unix.CAP_CHOWN
)

func TestSettings(t *testing.T) {
	testhost.Need(t, testhost.Root)
	s := newSpawner(t)
	cpus := allowedCPUs(t)
	last := cpus[len(cpus)-1]
	without := lookAt(t, s, worker.Command{})
	all := worker.Settings{
		Nice: new(-7), IOPriority: &worker.IOPriority{Class: worker.IORealtime, Level: 3}, OOMScoreAdj: new(321), CPUs: [][]int{{last}},
		Capabilities: new(worker.Capabilities(bind)), NoNewPrivs: true,
	}
	other := stranger()
	tests := []struct {
		name string
		as   *worker.Identity
		set  worker.Settings
		want func(*seen)
	}{
		{"none", nil, worker.Settings{}, func(*seen) {}},
		{"nice", nil, worker.Settings{Nice: new(5)}, func(s *seen) { s.nice = "5" }},
		{"nice of another user", other, worker.Settings{Nice: new(-20)}, func(s *seen) { s.nice = "-20" }},
		{"idle", other, worker.Settings{IOPriority: &worker.IOPriority{Class: worker.IOIdle}}, func(s *seen) { s.ioprio = "3:0" }},
		{"best effort", nil, worker.Settings{IOPriority: &worker.IOPriority{Class: worker.IOBestEffort, Level: 7}}, func(s *seen) { s.ioprio = "2:7" }},
		{"oom", other, worker.Settings{OOMScoreAdj: new(1000)}, func(s *seen) { s.oom = "1000" }},
		{"cpus", other, worker.Settings{CPUs: [][]int{{last}}}, func(s *seen) { s.cpus = strconv.Itoa(last) }},
		{"no_new_privs", nil, worker.Settings{NoNewPrivs: true}, func(s *seen) { s.noNewPrivs = "1" }},
		{
			"capabilities of root", nil,
			worker.Settings{Capabilities: new(worker.Capabilities(bind | chow))},
			func(s *seen) { s.bound, s.effective = bits(bind|chow), bits(bind|chow) },
		},
		{"no capability of root", nil, worker.Settings{Capabilities: new(worker.Capabilities)}, func(s *seen) { s.bound, s.effective = "", "" }},
		{
			"capabilities of another user", other,
			worker.Settings{Capabilities: new(worker.Capabilities(bind | chow))},
			func(s *seen) { s.bound, s.effective, s.ambient = bits(bind|chow), bits(bind|chow), bits(bind|chow) },
		},
		{"no capability of another user", other, worker.Settings{Capabilities: new(worker.Capabilities)}, func(s *seen) { s.bound, s.effective = "", "" }},
		{"all", nil, all, func(s *seen) {
			*s = seen{"-7", "1:3", "321", strconv.Itoa(last), "1", bits(bind), bits(bind), ""}
		}},
		{"all of another user", other, all, func(s *seen) {
			*s = seen{"-7", "1:3", "321", strconv.Itoa(last), "1", bits(bind), bits(bind), bits(bind)}
		}},
	}
	for _, tt := range tests {
		want := without
		if tt.as != nil {
			want.effective = ""
		}
		tt.want(&want)
		if got := lookAt(t, s, worker.Command{As: tt.as, Settings: tt.set}); got != want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, want)
		}
	}
	if got := look(t, os.Getpid()); got.nice != without.nice || got.oom != without.oom || got.bound != without.bound || got.noNewPrivs != without.noNewPrivs {
		t.Errorf("the supervisor itself became %+v", got)
	}
}

// A process that may not have a setting never runs its program, and which one it was is said.
func TestRefusedSettings(t *testing.T) {
	testhost.Need(t, testhost.Root)
	s := newSpawner(t)
	tests := []struct {
		set   worker.Settings
		stage worker.Stage
		want  string
	}{
		{worker.Settings{Nice: new(-1)}, worker.StageNice, "cannot set nice -1 for /bin/echo: permission denied (less than what brood has needs CAP_SYS_NICE, or the limit RLIMIT_NICE)"},
		{
			worker.Settings{IOPriority: &worker.IOPriority{Class: worker.IORealtime}},
			worker.StageIO,
			"cannot set ioprio realtime:0 for /bin/echo: operation not permitted (realtime needs CAP_SYS_NICE)",
		},
		{worker.Settings{OOMScoreAdj: new(-1)}, worker.StageOOM, "cannot set oom_score_adj -1 for /bin/echo: permission denied (less than what brood has needs CAP_SYS_RESOURCE)"},
		{
			worker.Settings{CPUs: [][]int{{1000, 1001, 1002}, {1009}}},
			worker.StageCPUs,
			"cannot set cpus 1000-1002,1009 for /bin/echo: invalid argument (the machine, or the cpuset of the cgroup, has none of them)",
		},
		{
			worker.Settings{Capabilities: new(worker.Capabilities(bind))},
			worker.StageBound,
			"cannot bound capabilities to NET_BIND_SERVICE for /bin/echo: operation not permitted (to take capabilities away for good needs CAP_SETPCAP)",
		},
		{
			worker.Settings{Capabilities: new(^worker.Capabilities(0))},
			worker.StageKeep,
			"cannot keep capability CHOWN for /bin/echo: operation not permitted (brood does not have it, and cannot hand it on)",
		},
	}
	for _, tt := range tests {
		cmd := openHelper(t, "supervise", plan{Settings: tt.set}.String(), "/bin/echo", "it runs")
		cmd.As = stranger()
		r, w := newPipe(t)
		cmd.Stderr = w
		said, _ := output(t, s, cmd)
		_ = syscall.Close(w)
		complaint, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if said != "" || string(complaint) != tt.want+"\n" {
			t.Errorf("got %q and\n%swant\n%s", said, complaint, tt.want)
		}
	}
	r := startAndWait(s, worker.Command{Argv: []string{"/bin/true"}, Settings: tests[3].set, Stdin: -1, Stdout: -1, Stderr: -1})
	var err *worker.ExecError
	if !errors.As(r.Err, &err) || err.Stage != tests[3].stage || !errors.Is(err, syscall.EINVAL) {
		t.Errorf("got %v", r.Err)
	}
}

// What a supervisor of its own user has as ambient capabilities is all that its workers can keep of it.
func TestCapabilitiesWithoutRoot(t *testing.T) {
	testhost.Need(t, testhost.Root)
	s := newSpawner(t)
	for _, tt := range []struct{ keep, want uint64 }{{bind, bind}, {0, 0}} {
		p := plan{Settings: worker.Settings{Capabilities: new(worker.Capabilities(tt.keep))}}
		cmd := openHelper(t, "supervise", p.String(), "grep", "-E", "^Cap(Eff|Bnd|Amb):", "/proc/self/status")
		cmd.As = stranger()
		cmd.Settings.Capabilities = new(worker.Capabilities(bind | 1<<unix.CAP_SETPCAP))
		got, exit := output(t, s, cmd)
		want := fmt.Sprintf("CapEff:\t%016x\nCapBnd:\t%016x\nCapAmb:\t%016x\n", tt.want, tt.want, tt.want)
		if got != want || !exit.Success() {
			t.Errorf("%x: got %q, %v", tt.keep, got, exit)
		}
	}
}

// Neither capabilities nor no_new_privs cost the signal that comes when the supervisor dies.
func TestOrphansWithCapabilities(t *testing.T) {
	testhost.Need(t, testhost.Root)
	s := newSpawner(t)
	for _, as := range []*worker.Identity{nil, stranger()} {
		p := plan{As: as, Settings: worker.Settings{Capabilities: new(worker.Capabilities(bind)), NoNewPrivs: true}}
		supervisor, lines := launchTalking(t, s, helper(t, "supervise", p.String(), "sh", "-c", "echo up; exec cat"))
		if line, err := lines.ReadString('\n'); line != "up\n" {
			t.Fatalf("got %q, %v", line, err)
		}
		if err := supervisor.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if _, err := lines.ReadByte(); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	}
}

func TestSettingsOfSlots(t *testing.T) {
	set := worker.Settings{Nice: new(1), CPUs: [][]int{{0}, {2, 3}, {5}}}
	for slot, want := range []int{0, 2, 5, 0, 2} {
		if got := set.Of(slot); len(got.CPUs) != 1 || got.CPUs[0][0] != want || *got.Nice != 1 {
			t.Errorf("slot %d: got %+v", slot, got)
		}
	}
	if got := (worker.Settings{}).Of(7); got.CPUs != nil {
		t.Errorf("got %+v", got)
	}
}

func TestCapabilityNames(t *testing.T) {
	names := worker.CapabilityNames()
	for n, want := range map[int]string{unix.CAP_CHOWN: "CHOWN", unix.CAP_NET_BIND_SERVICE: "NET_BIND_SERVICE", unix.CAP_SYS_TIME: "SYS_TIME", unix.CAP_LAST_CAP: "CHECKPOINT_RESTORE"} {
		if names[n] != want {
			t.Errorf("%d is %s, want %s", n, names[n], want)
		}
	}
	if len(names) != unix.CAP_LAST_CAP+1 {
		t.Errorf("there are %d", len(names))
	}
	if got := worker.Capabilities(bind | chow).String(); got != "CHOWN, NET_BIND_SERVICE" {
		t.Error(got)
	}
}
