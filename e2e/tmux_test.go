//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/testhost"
)

// tmux is a real terminal with a shell in it.
type tmux struct {
	t      *testing.T
	socket string
}

// openTerminal gives a terminal of its own to a test, and takes it away with it.
func openTerminal(t *testing.T, width, height int) *tmux {
	t.Helper()
	testhost.Need(t, testhost.Program("tmux"))
	m := &tmux{t: t, socket: filepath.Join(scratch(t, 0), "tmux")}
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", m.socket, "kill-server").Run() }) // it may have ended with its shell
	cmd := m.command("-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), "sh")
	cmd.Env = append(os.Environ(), "ENV=", "NO_COLOR=", "LANG=C.UTF-8")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cannot open a terminal: %v: %s", err, out)
	}
	m.enter("PS1='ready> '")
	m.prompts()
	return m
}

func (m *tmux) command(words ...string) *exec.Cmd {
	return exec.Command("tmux", append([]string{"-S", m.socket}, words...)...)
}

func (m *tmux) must(words ...string) string {
	m.t.Helper()
	out, err := m.command(words...).CombinedOutput()
	if err != nil {
		m.t.Fatalf("tmux %q: %v: %s", words, err, out)
	}
	return string(out)
}

// prompts waits until the shell waits for a line.
func (m *tmux) prompts() {
	m.t.Helper()
	m.becomes("a prompt", regexp.MustCompile(`(^|\n|# )ready> *\n*$`).MatchString)
}

// press presses keys, as tmux names them.
func (m *tmux) press(keys ...string) {
	m.t.Helper()
	m.must(append([]string{"send-keys"}, keys...)...)
}

// enter types a line.
func (m *tmux) enter(line string) {
	m.t.Helper()
	m.must("send-keys", "-l", line)
	m.press("Enter")
}

func (m *tmux) screen() string {
	m.t.Helper()
	return m.must("capture-pane", "-p")
}

// becomes waits until the screen is as somebody wants it.
func (m *tmux) becomes(what string, is func(screen string) bool) {
	m.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(30 * time.Millisecond)
	defer look.Stop()
	for {
		screen := m.screen()
		if is(screen) {
			return
		}
		select {
		case <-look.C:
		case <-deadline.C:
			m.t.Fatalf("after %s the screen is not: %s\n%s", patience, what, screen)
		}
	}
}

// shows waits until a text is to be seen.
func (m *tmux) shows(text string) {
	m.t.Helper()
	m.becomes(text, func(screen string) bool { return strings.Contains(screen, text) })
}

// hides waits until a text is not to be seen.
func (m *tmux) hides(text string) {
	m.t.Helper()
	m.becomes("without "+text, func(screen string) bool { return !strings.Contains(screen, text) })
}

// modes are what a program may leave behind: the other screen, a hidden cursor, other keys, a mouse that is watched, and the
// modes of the line.
func (m *tmux) modes() string {
	m.t.Helper()
	flags := m.must("display-message", "-p", "#{alternate_on} #{cursor_flag} #{keypad_flag} #{keypad_cursor_flag} #{mouse_any_flag} #{insert_flag} #{wrap_flag}")
	tty := strings.TrimSpace(m.must("display-message", "-p", "#{pane_tty}"))
	out, err := exec.Command("stty", "-g", "-F", tty).CombinedOutput()
	if err != nil {
		m.t.Fatalf("cannot read the modes of %s: %v: %s", tty, err, out)
	}
	return flags + string(out)
}
