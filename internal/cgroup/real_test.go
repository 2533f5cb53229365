package cgroup

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/broodctl/brood/internal/poll"
	"github.com/broodctl/brood/internal/testhost"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newTree opens a tree on this machine, in a group that is made for the test.
func newTree(t testing.TB) (*Tree, string) {
	t.Helper()
	testhost.Need(t, testhost.Root, testhost.Cgroup2)
	p, err := findPlace("/proc")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(p.dir, "test-")
	if err != nil {
		t.Fatal(err)
	}
	poller, err := poll.New()
	if err != nil {
		t.Fatal(err)
	}
	tree, err := Open(Options{Name: "test", Poller: poller, Proc: procOf(t, p, dir)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tree.Close()
		if err := errors.Join(poller.Close(), os.Remove(dir)); err != nil {
			t.Error(err)
		}
	})
	return tree, dir
}

// procOf is a /proc that says that we are in dir. There we share the group with somebody, so that nothing is handed down.
func procOf(t testing.TB, p *place, dir string) string {
	t.Helper()
	proc := t.TempDir()
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	self := filepath.Join(proc, "self")
	group := "0::" + filepath.Join(p.path, filepath.Base(dir)) + "\n"
	err = errors.Join(os.Mkdir(self, 0o755), os.WriteFile(filepath.Join(self, "mountinfo"), mountinfo, 0o644),
		os.WriteFile(filepath.Join(self, "cgroup"), []byte(group), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	return proc
}

// born starts a shell in a group.
func born(t testing.TB, g *Group, script string) (cmd *exec.Cmd, emptied chan struct{}) {
	t.Helper()
	emptied = make(chan struct{}, 64)
	fd, err := g.Make(func() { emptied <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	cmd = exec.Command("sh", "-c", script)
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: fd}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return cmd, emptied
}

func TestKillTakesWhoHasLeft(t *testing.T) {
	tree, dir := newTree(t)
	g := tree.Group("web", "0-a-1", Limits{}, nil)
	if !g.Empty() {
		t.Error("a group that was not made is not empty")
	}
	if usage, ok := g.Usage(); ok {
		t.Errorf("a group that was not made uses %+v", usage)
	}
	cmd, emptied := born(t, g, "setsid sh -c 'sleep 1000 & sleep 1000 & echo; wait' & exec sleep 1000")
	if g.Empty() {
		t.Error("a group with processes is empty")
	}
	g.Remove() // in vain, yet
	if _, err := os.Stat(g.Dir()); err != nil {
		t.Error(err)
	}
	if usage, ok := g.Usage(); !ok || usage.CPU == 0 || g.CPU() < usage.CPU {
		t.Errorf("it used %+v, %t", usage, ok)
	}
	if err := g.Signal(syscall.SIGKILL, 0); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	<-emptied
	if _, err := os.Stat(g.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("empty, and still there: %v", err)
	}
	if err := g.Signal(syscall.SIGTERM, 0); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("nobody is left to be signalled: %v", err)
	}
	if !strings.HasPrefix(g.Dir(), filepath.Join(dir, "pool-web")) && !strings.Contains(g.Dir(), "brood-test/pool-web/0-a-1") {
		t.Errorf("its directory was %s", g.Dir())
	}
}

func TestSignalReachesEverybody(t *testing.T) {
	tree, _ := newTree(t)
	g := tree.Group("web", "0-a-1", Limits{}, nil)
	cmd, emptied := born(t, g, "setsid sleep 1000 & sleep 1000 & echo; exec sleep 1000")
	if err := g.Signal(syscall.SIGTERM, 0); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	<-emptied
	g.Remove()
}

// crowd starts a group of n processes, and gives what waits for their end.
func crowd(t testing.TB, tree *Tree, n int) (g *Group, end func()) {
	t.Helper()
	g = tree.Group("web", "0-a-"+strconv.Itoa(n), Limits{}, nil)
	cmd, emptied := born(t, g, "i=1; while [ $i -lt "+strconv.Itoa(n)+" ]; do sleep 1000 & i=$((i+1)); done; echo; exec sleep 1000")
	return g, func() {
		_ = cmd.Wait()
		<-emptied
		g.Remove()
	}
}

// Ten times as many cost ten times as much, not a hundred times; and nobody is left out where not all can be held at once.
func TestSignalOfMany(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	tree, _ := newTree(t)
	few, endFew := crowd(t, tree, 60)
	many, endMany := crowd(t, tree, 600)
	cost := func(g *Group, times int) time.Duration {
		begin := cpuTime(t)
		for range times {
			if err := g.Signal(syscall.SIGCONT, 0); err != nil {
				t.Fatal(err)
			}
		}
		return cpuTime(t) - begin
	}
	// An emulated machine counts what others take from it as its own time: the least of some attempts is what it costs.
	one, other := cost(few, 100), cost(many, 10)
	for attempt := 1; attempt < 5 && other > 3*one; attempt++ {
		one, other = min(one, cost(few, 100)), min(other, cost(many, 10))
	}
	if other > 3*one {
		t.Errorf("60 processes 100 times cost %s, 600 processes 10 times %s", one, other)
	}
	if err := errors.Join(many.Signal(syscall.SIGTERM, 0), few.Kill()); err != nil {
		t.Error(err)
	}
	endMany()
	endFew()
}

// cpuTime is what this thread has used.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	const thread = 1 // RUSAGE_THREAD of getrusage(2)
	var u syscall.Rusage
	if err := syscall.Getrusage(thread, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestFrozenGroupIsNotEntered(t *testing.T) {
	tree, _ := newTree(t)
	other, _, err := tree.mkdir("web", "1-a-1", Limits{})
	if err == nil {
		err = errors.Join(os.Remove(other), write(filepath.Dir(other), "cgroup.freeze", "1"))
	}
	if err != nil {
		t.Fatal(err)
	}
	g := tree.Group("web", "0-a-1", Limits{}, nil)
	if _, err := g.Make(func() {}); !errors.Is(err, ErrFrozen) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(g.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left behind: %v", err)
	}
}

func TestPressureOfAPool(t *testing.T) {
	tree, _ := newTree(t)
	if _, err := tree.Pressure("web"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a worker: %v", err)
	}
	dir, _, err := tree.mkdir("web", "0-a-1", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Pressure("web"); err != nil {
		t.Error(err)
	}
	tree.Forget("web") // in vain
	if err := os.Remove(dir); err != nil {
		t.Error(err)
	}
	if _, err := tree.Pressure("web"); err != nil {
		t.Errorf("it was forgotten while it had workers: %v", err)
	}
	tree.Forget("web")
	if _, err := tree.Pressure("web"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after it was forgotten: %v", err)
	}
}

// So is the group of a pool, when it has none of workers. The next worker has one all the same.
func TestPoolRemovedByOthers(t *testing.T) {
	tree, _ := newTree(t)
	for _, name := range []string{"0-a-1", "0-a-2"} {
		g := tree.Group("web", name, Limits{}, nil)
		fd, err := g.Make(func() {})
		if err != nil || fd < 0 {
			t.Fatalf("the group %s was not made: %v", name, err)
		}
		syscall.Close(fd)
		g.Remove()
		if err := os.Remove(filepath.Dir(g.Dir())); err != nil {
			t.Fatal(err)
		}
	}
}

// A failure that goes on is said once; one that comes back is news.
func TestReportsAreSaidAgainAfterASuccess(t *testing.T) {
	tree, _ := newTree(t)
	var said []string
	tree.opt.Report = func(err error) { said = append(said, err.Error()) }
	room := func(n string) { // for groups of workers
		if err := write(filepath.Join(tree.base, "pool-web"), "cgroup.max.descendants", n); err != nil {
			t.Fatal(err)
		}
	}
	makes := func(name string, can bool) {
		g := tree.Group("web", name, Limits{}, nil)
		fd, err := g.Make(func() {})
		if err != nil || can != (fd >= 0) {
			t.Errorf("%s: descriptor %d, %v", name, fd, err)
		}
		if fd >= 0 {
			syscall.Close(fd)
		}
		g.Remove()
	}
	makes("0-a-1", true)
	for range 2 {
		room("0")
		makes("0-a-2", false)
		makes("0-a-3", false)
		room("max")
		makes("0-a-4", true)
	}
	if len(said) != 2 || !strings.HasPrefix(said[1], "cannot make control groups for pool web: mkdir ") {
		t.Errorf("said: %q", said)
	}
}

// A pool may come back while the one of its name that was before is still being forgotten.
func TestForgetIsNotInTheWay(t *testing.T) {
	tree, _ := newTree(t)
	stop := make(chan struct{})
	var forgetting sync.WaitGroup
	forgetting.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				tree.Forget("web")
			}
		}
	})
	for i := range 1000 {
		g := tree.Group("web", "0-a-"+strconv.Itoa(i), Limits{}, nil)
		fd, err := g.Make(func() {})
		if err != nil || fd < 0 {
			t.Errorf("the group %d was not made: %v", i, err)
			break
		}
		syscall.Close(fd)
		g.Remove()
	}
	close(stop)
	forgetting.Wait()
}

// A group that somebody else removes is empty; the kernel tells nobody.
func TestRemovedByOthers(t *testing.T) {
	tree, _ := newTree(t)
	g := tree.Group("web", "0-a-1", Limits{}, nil)
	fd, err := g.Make(func() {})
	if err != nil {
		t.Fatal(err)
	}
	syscall.Close(fd)
	if err := os.Remove(g.Dir()); err != nil {
		t.Fatal(err)
	}
	if !g.Empty() {
		t.Error("not empty")
	}
	if usage, ok := g.Usage(); ok {
		t.Errorf("it uses %+v", usage)
	}
	if err := g.Kill(); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("killed: %v", err)
	}
	if g.Remove(); len(tree.groups) != 0 {
		t.Error("it is not forgotten")
	}
}

// What a supervisor that was killed left is removed by the next one, but for groups with processes.
func TestLeftovers(t *testing.T) {
	first, _ := newTree(t)
	empty, full := first.Group("web", "0-a-1", Limits{}, nil), first.Group("web", "1-a-2", Limits{}, nil)
	fd, err := empty.Make(func() {})
	if err != nil {
		t.Fatal(err)
	}
	syscall.Close(fd)
	cmd, emptied := born(t, full, "echo; exec sleep 1000")

	left := sweep(first.base, nil)
	if !slices.Equal(left, []string{full.Dir()}) {
		t.Errorf("left: %q", left)
	}
	again := first.Group("web", "1-a-2", Limits{}, nil)
	other, ended := born(t, again, "echo; exec sleep 1000")
	if again.Dir() == full.Dir() {
		t.Error("two workers in one group")
	}
	for g, c := range map[*Group]*exec.Cmd{full: cmd, again: other} {
		if err := g.Kill(); err != nil {
			t.Error(err)
		}
		_ = c.Wait()
	}
	<-emptied
	<-ended
	full.Remove()
	again.Remove()
}

// Who may not open the group of a supervisor cannot lock it, but workers of any user find their limits in it.
func TestLockIsTheOwners(t *testing.T) {
	first, _ := newTree(t)
	for range 2 { // also one that was left by another version
		if st, err := os.Stat(first.base); err != nil || st.Mode().Perm() != 0o711 {
			t.Errorf("%v, %v", st, err)
		}
		first.unlock()
		if err := errors.Join(os.Mkdir(first.base, 0o755), first.beside()); err != nil {
			t.Fatal(err)
		}
	}
}

// Two supervisors of one name, in one group, are not in each other's way; what a third one left is removed.
func TestBesideEachOther(t *testing.T) {
	first, _ := newTree(t)
	stale := filepath.Join(first.place.dir, "brood-other+"+strconv.Itoa(1<<22), "pool-x")
	if err := os.MkdirAll(stale, 0o755); err != nil {
		t.Fatal(err)
	}
	second := &Tree{opt: first.opt, place: first.place, lock: -1}
	if err := second.beside(); err != nil {
		t.Fatal(err)
	}
	defer second.unlock()
	if second.base == first.base {
		t.Error("both have the same")
	}
	if _, err := os.Stat(filepath.Dir(stale)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nobody's group stays: %v", err)
	}
}

// BenchmarkSignal is what it costs to reach everybody in a group, which is why the supervisor has it done beside its loop.
func BenchmarkSignal(b *testing.B) {
	for _, n := range []int{1, 10, 1000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			tree, _ := newTree(b)
			g, end := crowd(b, tree, n)
			for b.Loop() {
				if err := g.Signal(syscall.SIGCONT, 0); err != nil {
					b.Fatal(err)
				}
			}
			if err := g.Kill(); err != nil {
				b.Fatal(err)
			}
			end()
		})
	}
}

// BenchmarkGroup is what a worker's group costs from its birth to its end, without the worker.
func BenchmarkGroup(b *testing.B) {
	tree, _ := newTree(b)
	for i := range b.N {
		g := tree.Group("web", "0-a-"+strconv.Itoa(i), Limits{}, nil)
		fd, err := g.Make(func() {})
		if err != nil {
			b.Fatal(err)
		}
		syscall.Close(fd)
		g.Remove()
	}
}
