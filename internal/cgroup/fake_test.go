package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/testhost"
)

// fake is a tree of ordinary files: what a kernel with its controllers on version 2 would have, as far as it is read and
// written before a worker runs.
type fake struct {
	t     *testing.T
	proc  string
	mount string
	own   string
}

// newFake makes one in which we are in a group of that path, with those controllers.
func newFake(t *testing.T, path, controllers string) *fake {
	t.Helper()
	root := t.TempDir()
	f := &fake{t: t, proc: filepath.Join(root, "proc"), mount: filepath.Join(root, "sys")}
	f.own = filepath.Join(f.mount, path)
	f.write(filepath.Join(f.proc, "self/mountinfo"), "41 31 0:38 / "+f.mount+" rw,relatime - cgroup2 cgroup2 rw\n")
	f.write(filepath.Join(f.proc, "self/cgroup"), "0::"+path+"\n")
	f.group(f.own, controllers)
	f.write(filepath.Join(f.own, "cgroup.procs"), strconv.Itoa(os.Getpid())+"\n")
	return f
}

// group is a directory with the files that every group has.
func (f *fake) group(dir, controllers string) {
	f.t.Helper()
	for name, text := range map[string]string{
		"cgroup.type": "domain\n", "cgroup.procs": "", "cgroup.controllers": controllers + "\n", "cgroup.subtree_control": "",
		"cgroup.kill": "", "cgroup.events": "populated 0\nfrozen 0\n",
	} {
		f.write(filepath.Join(dir, name), text)
	}
}

func (f *fake) write(path, text string) {
	f.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fake) read(elem ...string) string {
	f.t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{f.own}, elem...)...))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(text)
}

func (f *fake) open() *Tree {
	f.t.Helper()
	tree, err := Open(Options{Name: "test", Proc: f.proc, Poller: deaf{}})
	if err != nil {
		f.t.Fatal(err)
	}
	return tree
}

// deaf is a poller for files that never change.
type deaf struct{}

func (deaf) AddPriority(int, func()) error { return nil }
func (deaf) Remove(int) error              { return nil }

func TestEntersTheLeafWhereItIsAlone(t *testing.T) {
	testhost.Need(t, testhost.Root) // to others, a folder below one of their own is not delegated
	f := newFake(t, "/job", "cpu io memory pids hugetlb")
	f.group(filepath.Join(f.own, leafName), "")
	tree := f.open()
	if got := f.read(leafName, "cgroup.procs"); got != strconv.Itoa(os.Getpid()) {
		t.Errorf("the leaf was given %q", got)
	}
	all := Limits{MemoryMax: 1, CPUMax: 1, IOWeight: 1, PidsMax: 1}
	if missing := tree.Missing(all); missing != nil {
		t.Errorf("missing: %v", missing)
	}
	f.group(filepath.Join(f.own, "pool-web"), "")
	_, has, err := tree.mkdir("web", "0-a-1", Limits{})
	if err != nil || !slices.Equal(has, []string{ctlMemory, ctlPids}) {
		t.Errorf("without limits a worker has %q, %v", has, err)
	}
	_, has, err = tree.mkdir("web", "0-a-2", Limits{CPUMax: 500})
	if err != nil || !slices.Contains(has, ctlCPU) || slices.Contains(has, ctlIO) {
		t.Errorf("with cpu_max a worker has %q, %v", has, err)
	}
	if got := f.read("pool-web", "cgroup.subtree_control"); !strings.HasPrefix(got, "+") {
		t.Errorf("the pool was told %q", got)
	}
}

func TestControllerThatIsRefusedAgain(t *testing.T) {
	testhost.Need(t, testhost.Root)
	f := newFake(t, "/job", "memory")
	f.group(filepath.Join(f.own, leafName), "")
	tree := f.open()
	var said []string
	tree.opt.Report = func(err error) { said = append(said, err.Error()) }
	asks := func(name string) {
		if _, _, err := tree.mkdir("web", name, Limits{}); err != nil {
			t.Fatal(err)
		}
	}
	pool := filepath.Join(f.own, "pool-web")
	for range 2 {
		asks("0-a-1")
		asks("0-a-2")
		f.write(filepath.Join(pool, "cgroup.subtree_control"), "")
		asks("0-a-3")
		if err := os.RemoveAll(pool); err != nil { // and what it had been given
			t.Fatal(err)
		}
	}
	if len(said) != 2 || !strings.HasPrefix(said[1], "cannot hand the memory controller down to pool web: ") {
		t.Errorf("said: %q", said)
	}
}

func TestMovesNobodyElse(t *testing.T) {
	testhost.Need(t, testhost.Root)
	f := newFake(t, "/job", "memory pids")
	f.write(filepath.Join(f.own, "cgroup.procs"), fmt.Sprintf("1\n%d\n", os.Getpid()))
	f.group(filepath.Join(f.own, "brood-test"), "")
	tree := f.open()
	defer tree.Close()
	if _, err := os.Stat(filepath.Join(f.own, leafName)); !errors.Is(err, os.ErrNotExist) {
		t.Error("a leaf was made")
	}
	if f.read("cgroup.subtree_control") != "" {
		t.Error("controllers were handed down")
	}
	missing := tree.Missing(Limits{MemoryMax: 1, MemoryHigh: 1, PidsMax: 1})
	if len(missing) != 2 || missing[0].What != "the memory controller" || missing[0].Why != "others are in the group /job as well" {
		t.Errorf("missing: %v", missing)
	}
}

func TestLeavesUnitsThatAreNotDelegatedToSystemd(t *testing.T) {
	f := newFake(t, "/system.slice/web.service", "memory pids")
	f.group(filepath.Join(f.own, "brood-test"), "")
	tree := f.open()
	defer tree.Close()
	if f.read("cgroup.subtree_control") != "" {
		t.Error("controllers were handed down")
	}
	missing := tree.Missing(Limits{MemoryMax: 1})
	if os.Geteuid() == 0 && (len(missing) != 1 || missing[0].Hint != hintDelegate) {
		t.Errorf("missing: %v", missing)
	}
}

func TestControllersOfVersion1(t *testing.T) {
	testhost.Need(t, testhost.Root)
	f := newFake(t, "/job", "hugetlb")
	f.write(filepath.Join(f.proc, "self/cgroup"), "4:memory:/x\n3:cpu,cpuacct:/\n0::/job\n")
	tree := f.open()
	if _, err := os.Stat(filepath.Join(f.own, leafName)); !errors.Is(err, os.ErrNotExist) {
		t.Error("a leaf was made, and there is nothing to hand down")
	}
	missing := tree.Missing(Limits{MemoryMax: 1, CPUMax: 1, PidsMax: 1})
	if len(missing) != 3 || missing[0].Why != "it is bound to cgroup v1" || missing[2].Why != "the group /job was not given it" {
		t.Errorf("missing: %v", missing)
	}
}

func TestWhatIsMissing(t *testing.T) {
	for name, tc := range map[string]struct {
		file, text, want string
	}{
		"mount":    {"self/mountinfo", "", "a mount of cgroup v2"},
		"member":   {"self/cgroup", "1:cpu:/\n", "a group of cgroup v2"},
		"shown":    {"self/cgroup", "0::/../other\n", "the group /../other"},
		"writable": {"self/mountinfo", "41 31 0:38 / MOUNT ro,relatime - cgroup2 cgroup2 rw\n", "a writable mount of cgroup v2"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, "/job", "memory")
			f.write(filepath.Join(f.proc, tc.file), strings.ReplaceAll(tc.text, "MOUNT", f.mount))
			_, err := Open(Options{Proc: f.proc, Poller: deaf{}})
			missing, ok := errors.AsType[*Missing](err)
			if !ok || missing.What != tc.want {
				t.Errorf("got %v", err)
			}
		})
	}
}

// What was put into the leaf by an earlier program of the process, or by systemd, is recognised.
func TestIsInTheLeafAlready(t *testing.T) {
	testhost.Need(t, testhost.Root)
	f := newFake(t, "/job/supervisor", "")
	parent := filepath.Dir(f.own)
	f.group(parent, "memory pids")
	p, err := findPlace(f.proc)
	if err != nil || p.dir != parent || !p.moved || !p.alone || p.path != "/job" {
		t.Errorf("place %+v, %v", p, err)
	}
}
