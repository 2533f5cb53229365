package testvm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMachine: one boot for all, as they follow from each other. It ends with the machine.
func TestMachine(t *testing.T) {
	m := Boot(t, map[string]string{"/usr/share/there": "doc.go"})

	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Must(t.Context(), "cat /usr/share/there"); got != strings.TrimSpace(string(text)) {
		t.Errorf("the file came as %q", got)
	}
	controllers := strings.Fields(m.Must(t.Context(), "mkdir /sys/fs/cgroup/a; cat /sys/fs/cgroup/a/cgroup.controllers"))
	for _, name := range []string{"cpu", "cpuset", "io", "memory", "pids"} {
		if !slices.Contains(controllers, name) {
			t.Errorf("no controller %s among %q", name, controllers)
		}
	}
	if got := m.Must(t.Context(), "cat /proc/pressure/memory"); !strings.HasPrefix(got, "some avg10=") {
		t.Errorf("pressure %q", got)
	}
	if got := m.Must(t.Context(), "su nobody -c whoami"); got != "nobody" {
		t.Errorf("another user is %q", got)
	}

	var lines []string
	code := m.Run(t.Context(), `echo out; echo; echo; echo err >&2; printf tail; exit 7`, func(line string) { lines = append(lines, line) })
	if want := []string{"out", "", "", "err", "tail"}; code != 7 || !slices.Equal(lines, want) {
		t.Errorf("%q, %d; want %q, 7", lines, code, want)
	}
	lines = nil
	if code := m.Run(t.Context(), "true", func(line string) { lines = append(lines, line) }); code != 0 || len(lines) != 0 {
		t.Errorf("%q, %d", lines, code)
	}

	if _, err := m.run(t.Context(), "echo c >/proc/sysrq-trigger", nil); !errors.Is(err, io.EOF) {
		t.Errorf("after a panic of the kernel: %v", err)
	}
	if tail := m.tail(); !strings.Contains(tail, "Kernel panic") {
		t.Errorf("the console ends with %q", tail)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	m := Boot(t, nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	if _, err := m.run(ctx, "echo there; sleep 600", func(string) { cancel(enough) }); !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
}

// TestNothingStays runs the test binary itself as a test that is killed. Kinder ends are those of all tests here.
func TestNothingStays(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestVictim$")
	cmd.Env = append(os.Environ(), "TESTVM_VICTIM=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := 0
	reader := bufio.NewReader(out)
	for pid == 0 {
		line, err := reader.ReadString('\n')
		if err != nil {
			t.Fatalf("the victim ended early: %v", err)
		}
		fmt.Sscanf(line, "victim's machine is %d", &pid)
	}
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pidfd)
	cmd.Process.Kill()
	if err := cmd.Wait(); err == nil {
		t.Error("the victim passed")
	}
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int((20 * time.Second).Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if n != 1 {
			t.Errorf("qemu outlives its test (%v)", err)
		}
		return
	}
}

// TestVictim is no test of its own: see TestNothingStays.
func TestVictim(t *testing.T) {
	if os.Getenv("TESTVM_VICTIM") == "" {
		return
	}
	m := Boot(t, nil)
	fmt.Printf("victim's machine is %d\n", m.cmd.Process.Pid)
	m.Must(t.Context(), "sleep 600")
}

func TestVirtualizes(t *testing.T) {
	for text, want := range map[string]bool{
		"processor\t: 0\nflags\t\t: fpu vmx sse\n": true,
		"flags : fpu svm\n":                        true,
		"flags : fpu vmxoff\nbugs : vmx\n":         false,
		"":                                         false,
	} {
		if got := virtualizes(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
