package testguest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestParseMood(t *testing.T) {
	for text, want := range map[string]mood{
		"": {}, "503\n": {status: 503}, "503,1500ms": {status: 503, delay: 1500 * time.Millisecond},
		"flap:3,503": {status: 503, flap: 3}, "say:degraded": {body: "degraded"}, "hang": {hang: true},
	} {
		if got, err := parseMood(text); err != nil || got != want {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"bad", "42", "flap", "flap:x", "5x"} {
		if got, err := parseMood(text); err == nil {
			t.Errorf("%q: got %+v", text, got)
		}
	}
}

// ask gives status and body, or the error that ended it.
func (r *running) ask(ctx context.Context, path string) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.address+path, nil)
	if err != nil {
		return 0, "", err
	}
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body), err
}

func TestMoods(t *testing.T) {
	dir := t.TempDir()
	r := start(t, "http -mood flap:2,503 -mood-path /livez -moods "+dir)
	say := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []int{503, 503, 200, 200, 503} {
		if got, _, err := r.ask(t.Context(), "/livez"); got != want {
			t.Errorf("request %d: %d, %v", i, got, err)
		}
	}
	say("all", "503")
	if got, _, err := r.ask(t.Context(), "/"); got != 200 {
		t.Errorf("another path: %d, %v", got, err)
	}
	for _, step := range []struct {
		file, words, body string
		status            int
	}{
		{"all", "500", "\n", 500},
		{"slot-2", "say:degraded", "degraded\n", 200},
		{strconv.Itoa(r.Process.Pid), "418,20ms", "\n", 418},
		{strconv.Itoa(r.Process.Pid), "nonsense", "", 500},
	} {
		say(step.file, step.words)
		status, body, err := r.ask(t.Context(), "/livez")
		if status != step.status || err != nil || step.body != "" && body != step.body {
			t.Errorf("%s: got %d %q, %v", step.words, status, body, err)
		}
	}
	say(strconv.Itoa(r.Process.Pid), "hang")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if status, _, err := r.ask(ctx, "/livez"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it answers %d, %v", status, err)
	}
	say(strconv.Itoa(r.Process.Pid), "")
	if status, _, err := r.ask(t.Context(), "/livez"); status != 200 {
		t.Errorf("it does not recover: %d, %v", status, err)
	}
}

func TestLeakGrows(t *testing.T) {
	r := start(t, "leak -rate 1000 -limit 50")
	for {
		statm, err := os.ReadFile("/proc/" + strconv.Itoa(r.Process.Pid) + "/statm")
		if err != nil {
			t.Fatal(err)
		}
		pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
		if err != nil {
			t.Fatal(err)
		}
		if pages*os.Getpagesize() > 50<<20 {
			return
		}
	}
}

func TestForkbombGoesOnTrying(t *testing.T) {
	r := start(t, "forkbomb -children 3")
	if got := r.message(t); got != "READY=1" {
		t.Errorf("said %q", got)
	}
	path := "/proc/" + strconv.Itoa(r.Process.Pid) + "/task/"
	for {
		tasks, err := filepath.Glob(path + "*/children")
		if err != nil {
			t.Fatal(err)
		}
		count := 0
		for _, task := range tasks {
			text, _ := os.ReadFile(task) // a thread that ended has none
			count += len(strings.Fields(string(text)))
		}
		if count == 3 {
			break
		}
	}
	r.Process.Signal(syscall.SIGTERM)
	if code := r.code(t); code != 0 {
		t.Errorf("ended with %d: %s", code, r.stderr.String())
	}
}

// The guests that leave are started by a process of their own, because they end
// with it, and so does what they leave behind.
func TestWhoLeavesIsServedByItsChild(t *testing.T) {
	for _, name := range []string{"leaver", "daemon"} {
		t.Run(name, func(t *testing.T) {
			r := startBelow(t, name+" -notify")
			if got := r.message(t); got != "READY=1" {
				t.Fatalf("said %q", got)
			}
			var facts Facts
			r.get(t, "/", &facts)
			session, err := unix.Getsid(facts.PID)
			if own, _ := unix.Getsid(0); err != nil || (session == own) != (name == "leaver") {
				t.Errorf("in session %d, %v", session, err)
			}
			pidfd, err := unix.PidfdOpen(facts.PID, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(pidfd)
			r.Process.Kill() // the supervisor
			fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
			n, err := unix.Poll(fds, 20_000)
			for err == unix.EINTR { // the race detector's runtime sends itself signals
				n, err = unix.Poll(fds, 20_000)
			}
			if n != 1 {
				t.Errorf("the server lives on: %v", err)
			}
		})
	}
}

// startBelow starts a guest below a shell that lives on.
func startBelow(t *testing.T, words string) *running {
	t.Helper()
	return startCommand(t, exec.CommandContext(t.Context(), "sh", "-c", `"$@" & wait; exec sleep 600`, "sh", os.Args[0]), words)
}

func TestHarm(t *testing.T) {
	for _, name := range []string{"shutdown", "clearer"} {
		t.Run(name, func(t *testing.T) {
			r := start(t, name+" -notify")
			r.message(t)
			if status, body, err := r.ask(t.Context(), "/harm"); status != 200 {
				t.Fatalf("%d %s, %v", status, body, err)
			}
			fd := int(r.ExtraFiles[0].Fd())
			if name == "clearer" {
				flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
				info, err2 := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
				if err := errors.Join(err, err2); err != nil {
					t.Fatal(err)
				}
				if flags&unix.O_NONBLOCK != 0 || info.Sacked != 1 {
					t.Errorf("flags %#x, backlog %d", flags, info.Sacked)
				}
			} else {
				if conn, err := net.Dial("tcp", r.address); err == nil {
					conn.Close()
					t.Error("somebody listens")
				}
				if err := unix.Listen(fd, 16); err != nil {
					t.Fatal(err)
				}
				name, err := unix.Getsockname(fd)
				if err != nil {
					t.Fatal(err)
				}
				r.address = address(name).String() // the kernel chose the port, and chooses again
			}
			var facts Facts
			r.get(t, "/", &facts) // it serves on
			r.Process.Signal(syscall.SIGTERM)
			if code := r.code(t); code != 0 {
				t.Errorf("ended with %d: %s", code, r.stderr.String())
			}
		})
	}
}

func TestWhoAsksToBeReplaced(t *testing.T) {
	r := start(t, "watchdog -pings 1 -trigger -notify=false", "WATCHDOG_USEC=20000")
	for _, want := range []string{"WATCHDOG=1", "WATCHDOG=trigger"} {
		if got := r.message(t); got != want {
			t.Errorf("said %q, want %q", got, want)
		}
	}
}

func TestReportsItsRequests(t *testing.T) {
	r := start(t, "http -report")
	var facts Facts
	r.get(t, "/", &facts)
	if got := r.message(t); got != "BROOD_REQUESTS=1" {
		t.Errorf("said %q", got)
	}
}
