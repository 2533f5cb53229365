package worker_test

import (
	"net"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/broodctl/brood/worker"
)

// Of a parent with two children that share its memory, also when all are stopped.
func TestCensus(t *testing.T) {
	requireProgram(t, python3)
	s := newSpawner(t)
	family, out := launchTalking(t, s, worker.Command{Argv: []string{python3, "-c", sharing}, Env: worker.CleanEnviron(os.Environ()), Stderr: 2})
	if _, err := out.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	left, out := launchTalking(t, s, shell(`exec 3<&0; (cat <&3 &); echo up; read x`))
	if _, err := out.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := family.SignalGroup(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	found, err := worker.Census([]int{family.PID(), left.PID(), nobody})
	if err != nil || len(found) != 2 {
		t.Fatalf("found %v, %v", found, err)
	}
	use, err := worker.Usage(family.PID())
	if err != nil {
		t.Fatal(err)
	}
	got := found[family.PID()]
	if mb := got.Memory >> 20; !got.Resident || mb < 3*64 || mb > 3*110 {
		t.Errorf("%d MB: that is not the block, counted for each", mb)
	}
	if got.CPU != use.CPU || got.Processes != 3 || got.Files != use.Files {
		t.Errorf("got %+v, want %+v", got.Use, use)
	}
	for pid, home := range found {
		tree, err := worker.Tree(pid)
		slices.Sort(tree)
		slices.Sort(home.Members)
		if err != nil || !slices.Equal(home.Members, tree) {
			t.Errorf("of process %d: %d, want %d, %v", pid, home.Members, tree, err)
		}
	}
	if got := found[left.PID()]; got.Processes != 2 { // the second one was adopted
		t.Errorf("got %+v", got)
	}
}

// Connections that wait are nobody's, and those that two descriptors or two processes have are one.
func TestConnectedAreCountedByHolder(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		port := l.Addr().(*net.TCPAddr).Port
		check := func(want int) {
			t.Helper()
			found, err := worker.ReadConnected([]int{1, port})
			if err != nil {
				t.Fatal(err)
			}
			n, err := found.Held([]int{os.Getpid(), os.Getpid(), nobody})
			if err != nil || n != want {
				t.Errorf("%s: %d, %v, want %d", address, n, err, want)
			}
		}
		check(0)
		for range 3 {
			client, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
		}
		check(0)
		for n := range 3 {
			accepted, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer accepted.Close()
			check(n + 1)
		}
	}
}
