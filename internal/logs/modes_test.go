package logs

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/broodctl/brood/internal/testhost"
)

// Pools have modes of their own, and a label that came later moves the others.
func TestModesSideBySide(t *testing.T) {
	h := newHouse(t)
	h.Widen(4)
	plain, pretty, direct := h.open(t, "a.0", Tail), h.open(t, "b.0", Prefix), h.open(t, "c.0", Inherit)
	if plain.Stdout() == direct.Stdout() || pretty.Stdout() == direct.Stdout() || plain.Stderr() == direct.Stderr() {
		t.Error("the modes are mixed up")
	}
	say(t, pretty.Stdout(), "1\nhalf")
	if got, want := read(t, h.out, 9), "b.0  | 1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	h.Widen(6)
	h.Widen(5)
	say(t, pretty.Stdout(), "\n")
	if got, want := read(t, h.out, 14), "b.0    | half\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	wide, err := h.Open(Worker{Pool: "late", Slot: 12}, Settings{Mode: Prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(wide.Close)
	say(t, pretty.Stdout(), "x\n")
	if got, want := read(t, h.out, 12), "b.0     | x\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	say(t, plain.Stdout(), "x")
	if got := read(t, h.out, 1); got != "x" {
		t.Errorf("got %q", got)
	}
}

// nginx opens /dev/stderr by its name, as whoever it runs.
func TestAnotherUserOpensItsPipesAgain(t *testing.T) {
	testhost.Need(t, testhost.Root)
	const nobody = 65534
	h := newHouse(t)
	s := h.open(t, "web.0", Prefix)
	reopen := func() error {
		out, err := os.NewFile(uintptr(dup(t, s.Stdout())), "out"), os.NewFile(uintptr(dup(t, s.Stderr())), "err")
		defer out.Close()
		defer err.Close()
		cmd := exec.Command("/bin/sh", "-c", "echo one > /dev/stdout && echo two > /proc/self/fd/2")
		cmd.Stdout, cmd.Stderr = out, err
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return cmd.Run()
	}
	if reopen() == nil {
		t.Error("there would be no need to give pipes away")
	}
	_ = read(t, h.err, len("web.0 | /bin/sh: 1: ")) // the shell's complaint; its words differ
	if err := s.GiveTo(nobody, nobody); err != nil {
		t.Fatal(err)
	}
	if err := reopen(); err != nil {
		t.Fatal(err)
	}
	if got, want := read(t, h.out, 12), "web.0 | one\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.Spawned(1)
	if err := s.GiveTo(nobody, nobody); err != nil {
		t.Errorf("after the worker's ends are closed: %v", err)
	}
}

func dup(t testing.TB, fd int) int {
	t.Helper()
	copied, err := syscall.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	return copied
}
