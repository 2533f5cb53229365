package cgroup

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/poll"
)

// handOver is what a program does that takes the place of another: it has nothing but what was written down. The lock is a
// copy of the descriptor, as both programs live here.
func handOver(t *testing.T, from *Tree) *Tree {
	t.Helper()
	text, err := json.Marshal(from.Hand())
	if err != nil {
		t.Fatal(err)
	}
	var h HandedTree
	if err := json.Unmarshal(text, &h); err != nil {
		t.Fatal(err)
	}
	for _, fd := range h.Descriptors() {
		if *fd, err = unix.FcntlInt(uintptr(*fd), unix.F_DUPFD_CLOEXEC, 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Close(*fd) })
	}
	poller, err := poll.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = poller.Close() })
	to, err := Open(Options{Name: "test", Poller: poller, Handed: &h, Report: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func TestHandOver(t *testing.T) {
	first, _ := newTree(t)
	left := first.Group("web", "9-a-9", Limits{}, nil)
	stranger, strangers := born(t, left, "echo; exec sleep 1000")
	first.left = sweep(first.base, nil)
	g := first.Group("web", "0-a-1", Limits{}, nil)
	worker, _ := born(t, g, "echo; exec sleep 1000")
	dead := first.Group("web", "1-a-1", Limits{}, nil)
	empty := first.Group("web", "2-a-1", Limits{}, nil)
	for _, g := range []*Group{dead, empty} {
		fd, err := g.Make(func() {})
		if err != nil {
			t.Fatal(err)
		}
		_ = syscall.Close(fd)
	}
	forgotten := first.Group("web", "3-a-1", Limits{}, nil)
	lasting, _ := born(t, forgotten, "echo; exec sleep 1000")

	second := handOver(t, first)
	adopted, err := second.Adopt("web", "0-a-1", Limits{}, nil, g.Hand())
	if err != nil {
		t.Fatal(err)
	}
	ended, err := second.Adopt("web", "1-a-1", Limits{}, nil, dead.Hand())
	if err != nil {
		t.Fatal(err)
	}
	emptied := make(chan struct{}, 64)
	adopted.Watch(func() { emptied <- struct{}{} })
	ended.Watch(func() { t.Error("told of what was so before") })
	second.Settle()
	if !ended.Empty() || adopted.Empty() || adopted.CPU() == 0 || adopted.Dir() != g.Dir() {
		t.Errorf("the adopted ones: %t, %t, %q", ended.Empty(), adopted.Empty(), adopted.Dir())
	}
	if !slices.Equal(second.Left(), []string{left.Dir()}) {
		t.Errorf("left by an earlier supervisor: %q", second.Left())
	}
	if _, err := os.Stat(empty.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the empty group that nobody adopted: %v", err)
	}
	if _, err := os.Stat(ended.Dir()); err != nil {
		t.Errorf("the empty group that was adopted: %v", err)
	}
	ended.Remove()
	if err := adopted.Signal(syscall.SIGKILL, 0); err != nil {
		t.Error(err)
	}
	_ = worker.Wait()
	<-emptied
	adopted.Remove()

	// What nobody has adopted goes when its last process does.
	second.mu.Lock()
	last := len(second.groups)
	second.mu.Unlock()
	if last != 1 {
		t.Errorf("%d groups instead of the one that nobody adopted", last)
	}
	gone := inotifyOf(t, filepath.Dir(forgotten.Dir()))
	_, _ = lasting.Process.Signal(syscall.SIGKILL), lasting.Wait()
	gone(filepath.Base(forgotten.Dir()))

	_, _ = stranger.Process.Signal(syscall.SIGKILL), stranger.Wait()
	<-strangers
	left.Remove()
	for _, dir := range []string{g.Dir(), dead.Dir(), left.Dir()} {
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", dir, err)
		}
	}
}

// inotifyOf watches a directory; what it returns waits until one of a name has been removed from it.
func inotifyOf(t *testing.T, dir string) (await func(name string)) {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err == nil {
		_, err = unix.InotifyAddWatch(fd, dir, unix.IN_DELETE)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return func(name string) {
		if _, err := os.Stat(filepath.Join(dir, name)); errors.Is(err, os.ErrNotExist) {
			return
		}
		if _, err := unix.Read(fd, make([]byte, 4096)); err != nil {
			t.Error(err)
		}
	}
}

func TestHandOverRefused(t *testing.T) {
	tree, _ := newTree(t)
	for what, change := range map[string]func(h *HandedTree){
		"no control group":          func(h *HandedTree) { h.Base = t.TempDir() },
		"nothing":                   func(h *HandedTree) { h.Base += "-none" },
		"a descriptor that is none": func(h *HandedTree) { h.Lock = 1 << 20 },
		"a lock of something else":  func(h *HandedTree) { h.Base = filepath.Dir(h.Base) },
	} {
		h := tree.Hand()
		change(&h)
		if _, err := Open(Options{Handed: &h}); err == nil {
			t.Errorf("%s was taken", what)
		}
	}
	for _, dir := range []string{"", "/", tree.base, tree.base + "/pool-other/0-a-1", tree.base + "/pool-web/../pool-other/0-a-1", tree.base + "/pool-web/0-a-1"} {
		if _, err := tree.Adopt("web", "0-a-1", Limits{}, nil, HandedGroup{Dir: dir}); err == nil {
			t.Errorf("%s was adopted", dir)
		}
	}
}

type deafPoller struct{}

func (deafPoller) AddPriority(int, func()) error { return nil }
func (deafPoller) Remove(int) error              { return nil }

// That a worker wanted too many processes is told once, whichever program hears of it.
func TestHitIsToldOnce(t *testing.T) {
	f := newFake(t, "/own", "memory pids")
	tree := blankTree(Options{Poller: deafPoller{}}, &place{dir: f.own})
	dir := filepath.Join(f.own, "pool-web", "0-a-1")
	f.group(dir, "memory pids")
	f.write(filepath.Join(dir, "pids.events"), "max 3\n")
	h := HandedGroup{Dir: dir}
	for _, want := range []int{1, 0} {
		told := 0
		g, err := tree.Adopt("web", "0-a-1", Limits{PidsMax: 5}, func() { told++ }, h)
		if err != nil {
			t.Fatal(err)
		}
		g.Watch(func() {})
		if h = g.Hand(); told != want || !h.Hit {
			t.Errorf("told %d times, want %d; handed %+v", told, want, h)
		}
	}
	tree.Close()
}
