//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/testguest"
)

// watched is a supervisor with three workers that say something hostile, and a terminal in which top shows it.
func watched(t *testing.T, width, height int) (*brood, *tmux) {
	t.Helper()
	b := launch(t, options{
		flags: []string{"-n", "3", "-l", "127.0.0.1:0", "--settle", "10ms", "--env", "API_TOKEN=t0ken"},
		command: []string{
			"sh", "-c", `printf 'hello from %s \033[2J\033]0;owned\007\n' "$BROOD_SLOT"; exec "$0" "$@"`, guestBin(), testguest.Word, "http", "-notify",
		},
	})
	return b, openTerminal(t, width, height)
}

// top starts it from the terminal's shell, which says how it ended.
func (m *tmux) top(b *brood, words string) {
	m.t.Helper()
	m.enter("clear; echo before; " + words + " " + broodBin() + " top --interval 500ms --control " + b.control + `; echo "left with $?"`)
}

// left waits until the shell has the terminal again, as it was.
func (m *tmux) left(code int, modes string) {
	m.t.Helper()
	m.shows(fmt.Sprintf("left with %d", code))
	m.shows("before")
	m.prompts()
	if after := m.modes(); after != modes {
		m.t.Errorf("the terminal was\n%sand is\n%s", modes, after)
	}
}

func TestTop(t *testing.T) {
	t.Parallel()
	b, m := watched(t, 80, 24)
	before := m.modes()
	m.top(b, "NO_COLOR=1")
	m.shows("brood top  web  ready")
	m.shows("- web ")
	m.shows(" 3/3 ")
	if looks := regexp.MustCompile(`\x1b\[[0-9;]*[34][0-7]`).FindString(m.must("capture-pane", "-p", "-e")); looks != "" {
		t.Errorf("%q without colours", looks)
	}

	m.press(">") // sort
	m.hides("NAME^")
	m.press("<", "o")
	m.shows("NAMEv")
	m.press("o", "/")
	m.shows("filter: _")
	m.press("w", "e", "b", ".", "1", "Enter")
	m.becomes("slot 1 alone", func(screen string) bool {
		return strings.Contains(screen, "\n  1 ") && !strings.Contains(screen, "\n  0 ")
	})
	m.press("Escape")
	m.shows("\n  2 ")
	m.press("u")
	m.shows("only the unhealthy")
	m.press("u", "Space")
	m.shows("+ web")
	m.press("Space", "Down", "Enter") // into a worker
	m.shows("web slot 0")
	m.shows(testguest.Word + " http ")
	m.press("2")
	m.shows("open in its first process")
	m.press("3")
	m.shows("open files")
	m.press("4")
	m.shows("API_TOKEN=(hidden)")
	m.hides("t0ken")
	m.press("5")
	m.shows("hello from 0 ?[2J?]0;owned?")
	m.press("6")
	m.shows("worker")
	m.press("?")
	m.shows("roll: replace all workers of the pool")
	m.press("x")
	m.shows("web slot 0")
	m.press("Escape")
	m.shows("- web")

	m.must("resize-window", "-x", "60", "-y", "15")
	m.becomes("smaller", func(screen string) bool {
		lines := strings.Split(strings.TrimRight(screen, "\n"), "\n")
		return len(lines) == 15 && strings.HasPrefix(lines[14], "? help")
	})
	m.must("resize-window", "-x", "120", "-y", "40")
	m.shows("GEN REASON")

	m.press("q")
	m.left(0, before)
}

func TestTopAsks(t *testing.T) {
	t.Parallel()
	b, m := watched(t, 80, 24)
	m.top(b, "")
	m.shows("- web")
	m.press("r")
	m.shows("Type y to do it")
	m.press("n")
	m.shows("nothing was done")
	m.press("r", "y")
	m.shows("pool web is at generation 2")
	m.press("Down", "Down", "R")
	m.shows("Restart slot 1 of pool web")
	m.press("y")
	m.shows("restart web.1: slot 1 of pool web is served by process")
	m.press("s", "4", "Enter")
	m.shows("Scale pool web from 3 to 4")
	m.press("y")
	m.shows("4/4")
	m.shows("\n  3 ")
	m.press("S")
	m.shows("Stop pool web")
	m.press("Escape")
	m.hides("Stop pool web")
	b.await("four workers", func() bool { return strings.Contains(b.must("status"), "4/4 ready") })
	if snap := b.status(); snap.Pools[0].Generation != 2 {
		t.Errorf("generation %d", snap.Pools[0].Generation)
	}
	m.press("q")
	m.shows("left with 0")
}

// However it ends, the terminal is as it was.
func TestTopGivesTheTerminalBack(t *testing.T) {
	t.Parallel()
	b, m := watched(t, 80, 24)
	before := m.modes()
	for name, end := range map[string]func(){
		"Ctrl-C": func() { m.press("C-c") },
		"TERM":   func() { m.signal(syscall.SIGTERM) },
		"INT":    func() { m.signal(syscall.SIGINT) },
		"Ctrl-Z": func() {
			m.press("C-z")
			m.shows("Stopped")
			m.enter("fg")
			m.shows("? help")
			m.press("q")
		},
	} {
		t.Run(name, func(t *testing.T) {
			inner := *m
			inner.t = t
			inner.top(b, "")
			inner.shows("- web")
			end()
			if name != "Ctrl-Z" {
				inner.left(0, before)
				return
			}
			inner.prompts()
			if after := inner.modes(); after != before {
				t.Errorf("the terminal was\n%sand is\n%s", before, after)
			}
		})
	}
}

// signal goes to the program in front of the terminal.
func (m *tmux) signal(sig syscall.Signal) {
	m.t.Helper()
	shell := strings.TrimSpace(m.must("display-message", "-p", "#{pane_pid}"))
	text, err := os.ReadFile("/proc/" + shell + "/task/" + shell + "/children")
	if err != nil {
		m.t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(text), &pid); err != nil {
		m.t.Fatalf("no program in front of the shell: %q: %v", text, err)
	}
	if err := syscall.Kill(pid, sig); err != nil {
		m.t.Fatal(err)
	}
}

func TestTopOutlivesTheSupervisor(t *testing.T) {
	t.Parallel()
	b, m := watched(t, 80, 24)
	m.top(b, "")
	m.shows("- web")
	b.stop()
	m.shows("NO ANSWER for")
	m.shows("trying again")
	m.press("r")
	m.shows("the supervisor does not answer")

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	again := exec.CommandContext(ctx, broodBin(), "run", "--name", "web", "--control", b.control, "-n", "1", "--ready", "delay:1ms", "--", "sleep", "60")
	again.Cancel = func() error { return again.Process.Signal(syscall.SIGTERM) }
	again.WaitDelay = patience
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	m.shows("the supervisor is back")
	m.shows("1/1")
	m.press("q")
	m.shows("left with 0")
	cancel()
	_ = again.Wait() // it was told to leave
}

// Where only printing is possible the way out is said.
func TestTopOnADumbTerminal(t *testing.T) {
	t.Parallel()
	b, m := watched(t, 80, 24)
	m.top(b, "TERM=dumb")
	m.shows("hint: brood top --once")
	m.shows("left with 2")
	m.enter("TERM=dumb " + broodBin() + " top --once --control " + b.control)
	m.shows("web.2")
}

// The start of every command stays short, with all that is linked, by what a start takes on this machine at all.
func TestStartIsShort(t *testing.T) {
	const (
		times = 16  // as measured, and half as much again
		tries = 400 // others use the machine as well
	)
	floor, best := time.Hour, time.Hour
	for n := range tries {
		floor = min(floor, startOf(t, "true"))
		best = min(best, startOf(t, broodBin(), "version"))
		if n >= tries/10 && best <= times*floor {
			break
		}
	}
	t.Logf("brood version: %s, true: %s", best, floor)
	if best > times*floor {
		t.Errorf("brood version takes %s, more than %d times the %s of true", best, times, floor)
	}
}

func startOf(t *testing.T, argv ...string) time.Duration {
	t.Helper()
	begin := time.Now()
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return time.Since(begin)
}
