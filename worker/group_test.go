package worker_test

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/cgroup"
	"github.com/broodctl/brood/internal/poll"
	"github.com/broodctl/brood/internal/testhost"
	"github.com/broodctl/brood/worker"
)

// groups gives the processes of a test groups of their own.
type groups struct {
	*cgroup.Tree
	made int
}

func newGroups(t testing.TB) *groups {
	t.Helper()
	testhost.Need(t, testhost.Root, testhost.Cgroup2)
	poller, err := poll.New()
	if err != nil {
		t.Fatal(err)
	}
	tree, err := cgroup.Open(cgroup.Options{Name: "worker-test", Poller: poller, Report: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tree.Close()
		if err := poller.Close(); err != nil {
			t.Error(err)
		}
	})
	return &groups{Tree: tree}
}

func (g *groups) next() *cgroup.Group {
	g.made++
	return g.Group(strconv.Itoa(os.Getpid()), "0-a-"+strconv.Itoa(g.made), cgroup.Limits{}, nil)
}

func absent(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}

// With a control group a worker is gone when its daemons are, wherever they have gone to.
func TestGroupOfADaemon(t *testing.T) {
	for _, way := range []string{"direct", "shim"} {
		t.Run(way, func(t *testing.T) {
			all, s := newGroups(t), newSpawner(t)
			out, w := newPipe(t)
			group := all.next()
			p := launch(t, s, worker.Command{
				Argv: []string{"/bin/sh", "-c", "setsid sh -c 'trap \"echo told; exit\" TERM; echo up; while :; do read _; done <&3' & exit 3"},
				Env:  []string{"LISTEN_PID="}, ListenPID: way == "shim",
				Files: []int{tty(t)}, Stdin: worker.DevNull, Stdout: w, Stderr: 2, Group: group,
			})
			_ = syscall.Close(w)
			lines := bufio.NewReader(out)
			if e := <-p.exit; e.Code != 3 || !e.Remains {
				t.Errorf("got %+v", e)
			}
			if line, _ := lines.ReadString('\n'); line != "up\n" {
				t.Fatalf("got %q", line)
			}
			if filepath.Base(group.Dir()) != "0-a-1" {
				t.Errorf("its group is %q", group.Dir())
			}
			if err := p.SignalStrays(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
			if line, _ := lines.ReadString('\n'); line != "told\n" {
				t.Errorf("got %q", line)
			}
			<-p.gone
			absent(t, group.Dir())
			if err := p.SignalGroup(syscall.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
				t.Errorf("signalled after its end: %v", err)
			}
		})
	}
}

// tty is a descriptor to read from that never has anything.
func tty(t *testing.T) int {
	t.Helper()
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = syscall.Close(fds[0]), syscall.Close(fds[1]) })
	return fds[0]
}

// Strays are those that left; who stayed is told by the worker.
func TestStraysAreNotTheOthers(t *testing.T) {
	all, s := newGroups(t), newSpawner(t)
	out, w := newPipe(t)
	p := launch(t, s, worker.Command{
		Argv:  []string{"/bin/sh", "-c", "sleep 1000 & setsid sh -c 'echo up; exec sleep 1000' & exit"},
		Stdin: worker.DevNull, Stdout: w, Stderr: 2, Group: all.next(),
	})
	_ = syscall.Close(w)
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "up\n" {
		t.Fatalf("got %q", line)
	}
	<-p.exit
	if err := p.SignalStrays(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if members, err := worker.Tree(p.PID()); err != nil || len(members) != 1 {
		t.Errorf("left of the process group: %v, %v", members, err)
	}
	if err := p.SignalGroup(syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	<-p.gone
}

func TestGroupKilledWithEverybody(t *testing.T) {
	all, s := newGroups(t), newSpawner(t)
	out, w := newPipe(t)
	group := all.next()
	p := launch(t, s, worker.Command{
		Argv:  []string{"/bin/sh", "-c", "setsid sh -c 'trap \"\" TERM; sleep 1000 & echo up; wait' & wait"},
		Stdin: worker.DevNull, Stdout: w, Stderr: 2, Group: group,
	})
	_ = syscall.Close(w)
	lines := bufio.NewReader(out)
	if line, _ := lines.ReadString('\n'); line != "up\n" {
		t.Fatalf("got %q", line)
	}
	if err := p.SignalGroup(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if e := <-p.exit; e.Signal != syscall.SIGKILL {
		t.Errorf("got %+v", e)
	}
	<-p.gone
	absent(t, group.Dir())
	if _, err := lines.ReadByte(); err == nil {
		t.Error("somebody holds its output")
	}
}

// Whoever may, like root, can leave its control group; neither that nor what stays behind in it saves it.
func TestLeaderThatMovedAwayIsKilled(t *testing.T) {
	for name, stays := range map[string]string{"alone": "", "from others": "setsid sleep 1000 & "} {
		t.Run(name, func(t *testing.T) {
			all, s := newGroups(t), newSpawner(t)
			out, w := newPipe(t)
			group, elsewhere := all.next(), all.next()
			emptied := make(chan struct{}, 64)
			fd, err := elsewhere.Make(func() { emptied <- struct{}{} })
			if err != nil {
				t.Fatal(err)
			}
			_ = syscall.Close(fd)
			move := "echo $$ >" + filepath.Join(elsewhere.Dir(), "cgroup.procs")
			p := launch(t, s, worker.Command{
				Argv:  []string{"/bin/sh", "-c", stays + move + "; sleep 1000 & echo up; wait"},
				Stdin: worker.DevNull, Stdout: w, Stderr: 2, Group: group,
			})
			_ = syscall.Close(w)
			lines := bufio.NewReader(out)
			if line, _ := lines.ReadString('\n'); line != "up\n" {
				t.Fatalf("got %q", line)
			}
			t.Cleanup(func() { _ = elsewhere.Kill() }) // if what is tested fails
			if err := p.SignalGroup(syscall.SIGKILL); err != nil {
				t.Error(err)
			}
			select {
			case e := <-p.exit:
				if e.Signal != syscall.SIGKILL {
					t.Errorf("got %+v", e)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("it lives")
			}
			<-p.gone
			<-emptied
			if elsewhere.Remove(); !elsewhere.Empty() {
				t.Error("its process group was not killed")
			}
			absent(t, group.Dir())
			absent(t, elsewhere.Dir())
		})
	}
}

// What never ran leaves no group behind.
func TestGroupOfNobody(t *testing.T) {
	all, s := newGroups(t), newSpawner(t)
	for _, cmd := range []worker.Command{
		{Argv: []string{"/does/not/exist"}},
		{Argv: []string{"/dev/null"}},
		{Argv: []string{"/bin/true"}, Dir: "/does/not/exist"},
		{Argv: []string{"/bin/true"}, ListenPID: true, Settings: worker.Settings{CPUs: [][]int{{1000}}}},
	} {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = worker.DevNull, worker.DevNull, worker.DevNull
		group := all.next()
		cmd.Group = group
		if result := startAndWait(s, cmd); result.Err == nil {
			t.Errorf("%q runs", cmd.Argv)
		}
	}
	// A shim that has said why is reaped a little later.
	for len(all.left(t)) > 0 {
		p := launch(t, s, worker.Command{Argv: []string{"/bin/true"}, Stdin: worker.DevNull, Stdout: worker.DevNull, Stderr: 2})
		<-p.gone
	}
}

// left are the groups that are there.
func (g *groups) left(t *testing.T) []string {
	t.Helper()
	group := g.next()
	fd, err := group.Make(func() {})
	if err != nil {
		t.Fatal(err)
	}
	_ = syscall.Close(fd)
	group.Remove()
	dirs, err := filepath.Glob(filepath.Join(filepath.Dir(group.Dir()), "*-*-*"))
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}
