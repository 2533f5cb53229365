package local_test

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/local"
)

func claim(t *testing.T, e *local.Engine, place int) lease.Claim {
	t.Helper()
	c, err := e.Claim(t.Context(), "ids", place)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A worker that inherited the descriptor keeps the place when its supervisor is gone, until it is gone itself; who waits
// is told then.
func TestWorkerKeepsThePlace(t *testing.T) {
	dir := t.TempDir()
	supervisor, other := engine(t, dir, "host/web/1"), engine(t, dir, "host/web/2")
	c := claim(t, supervisor, 5)

	worker := exec.CommandContext(t.Context(), "cat")
	worker.ExtraFiles = []*os.File{c.File()}
	in, err := worker.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	if err := supervisor.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Claim(t.Context(), "ids", 5); !errors.Is(err, lease.ErrTaken) {
		t.Fatalf("the worker lives: %v", err)
	}
	told := make(chan error)
	go func() { told <- other.Wait(t.Context(), "ids", lease.Only(5)) }()
	select {
	case err := <-told:
		t.Fatalf("told before the worker has ended: %v", err)
	default:
	}
	if err := errors.Join(in.Close(), worker.Wait()); err != nil {
		t.Fatal(err)
	}
	if err := <-told; err != nil {
		t.Fatal(err)
	}
	if next := claim(t, other, 5); next.Fence() != c.Fence()+1 {
		t.Errorf("fence %d after %d", next.Fence(), c.Fence())
	}
}

// A release frees the place although somebody inherited the descriptor: the caller says that nobody uses it.
func TestReleaseIsForAllWhoInherited(t *testing.T) {
	dir := t.TempDir()
	e, other := engine(t, dir, "host/web/1"), engine(t, dir, "host/web/2")
	c := claim(t, e, 5)
	orphan := exec.CommandContext(t.Context(), "cat")
	orphan.ExtraFiles = []*os.File{c.File()}
	in, err := orphan.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := orphan.Start(); err != nil {
		t.Fatal(err)
	}
	if err := c.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	claim(t, other, 5)
	if err := errors.Join(in.Close(), orphan.Wait()); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Claim(t.Context(), "ids", 5); !errors.Is(err, lease.ErrTaken) {
		t.Errorf("the end of an orphan gave away what somebody else has: %v", err)
	}
}

// What an inherited descriptor can do is little: it cannot write, and it cannot get a place that is taken.
func TestInheritedDescriptorIsForReading(t *testing.T) {
	c := claim(t, engine(t, t.TempDir(), "host/web/1"), 5)
	if _, err := c.File().WriteAt([]byte("x"), 0); err == nil {
		t.Error("a worker can write into the file")
	}
}
