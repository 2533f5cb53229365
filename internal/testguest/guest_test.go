package testguest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
)

func TestMain(m *testing.M) {
	Main()
	os.Exit(m.Run())
}

// running is a guest with its own notify socket and one listening socket.
type running struct {
	*exec.Cmd
	address string
	notify  *net.UnixConn
	exited  chan struct{}
	stderr  strings.Builder
}

func start(t *testing.T, words string, env ...string) *running {
	t.Helper()
	return startCommand(t, exec.CommandContext(t.Context(), os.Args[0]), words, env...)
}

// startCommand adds the words of a guest to a command that runs it.
func startCommand(t *testing.T, cmd *exec.Cmd, words string, env ...string) *running {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	t.Cleanup(func() { file.Close() })

	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		t.Fatal(err)
	}
	r := &running{
		Cmd:     cmd,
		address: listener.Addr().String(), notify: socket, exited: make(chan struct{}),
	}
	r.Args = append(append(r.Args, Word), strings.Fields(words)...)
	r.ExtraFiles = []*os.File{file}
	r.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r.Stderr = &r.stderr
	r.WaitDelay = 200 * time.Millisecond // children that it leaves hold the pipe
	r.Env = append(os.Environ(), append(env, "NOTIFY_SOCKET="+path, `BROOD_FDS={"http":"/dev/fd/3"}`,
		"BROOD_SLOT=2", "BROOD_WORKER_ID=7", "BROOD_GENERATION=3", "BROOD_POOL=web", "BROOD_WORKERS=4")...)
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = r.Wait(); close(r.exited) }() // its verdict is in ProcessState
	t.Cleanup(func() {
		syscall.Kill(-r.Process.Pid, syscall.SIGKILL)
		<-r.exited
		socket.Close()
	})
	return r
}

// code waits for the exit code.
func (r *running) code(t *testing.T) int {
	t.Helper()
	select {
	case <-r.exited:
		return r.ProcessState.ExitCode()
	case <-time.After(20 * time.Second):
		t.Fatalf("the guest does not end; it said: %s", r.stderr.String())
		return -1
	}
}

func (r *running) message(t *testing.T) string {
	t.Helper()
	r.notify.SetReadDeadline(time.Now().Add(20 * time.Second))
	buffer := make([]byte, 4096)
	n, err := r.notify.Read(buffer)
	if err != nil {
		t.Fatal(err)
	}
	return string(buffer[:n])
}

func (r *running) get(t *testing.T, path string, into any) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	answer, err := client.Get("http://" + r.address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func TestHTTPTellsWhoItIs(t *testing.T) {
	r := start(t, "http -notify")
	if got := r.message(t); got != "READY=1" {
		t.Errorf("said %q", got)
	}
	var facts Facts
	r.get(t, "/", &facts)
	want := Facts{
		Worker: loadgen.Worker{Slot: 2, ID: 7, PID: r.Process.Pid, Generation: 3},
		Pool:   "web", Workers: 4, Listener: "http", Served: 1,
	}
	if facts != want {
		t.Errorf("got %+v, want %+v", facts, want)
	}
	var world World
	r.get(t, "/facts", &world)
	if world.Env["BROOD_POOL"] != "web" || len(world.FDs) < 4 || world.Status["SigBlk"] == "" || world.Served != 2 {
		t.Errorf("got %+v", world)
	}
	load, err := loadgen.Run(t.Context(), loadgen.Config{Address: r.address, Requests: 10})
	if err != nil || load.OK() != 10 || load.Slots()[2] != 10 {
		t.Errorf("%v:\n%s", err, &load)
	}
	r.Process.Signal(syscall.SIGTERM)
	if code := r.code(t); code != 0 {
		t.Errorf("ended with %d: %s", code, r.stderr.String())
	}
}

// TestHTTPDrains: the test holds the socket too, as a supervisor does. What the
// guest had not accepted waits until it is late. What it had accepted is answered,
// but for requests that net/http read only after Shutdown began, which it drops:
// that is why a supervisor steers new connections away before it sends TERM.
func TestHTTPDrains(t *testing.T) {
	dir := t.TempDir()
	r := start(t, "http -notify -work 5ms -counters "+dir)
	r.message(t)
	load, err := loadgen.Start(t.Context(), loadgen.Config{
		Address: r.address, Clients: 8, Duration: time.Minute, Timeout: 500 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := load.Await(t.Context(), 50); err != nil {
		t.Error(err)
	}
	r.Process.Signal(syscall.SIGTERM)
	if code := r.code(t); code != 0 {
		t.Errorf("ended with %d", code)
	}
	result := load.Stop()
	all, err := ReadCounters(dir)
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	if cut := result.Failed() - result.Count(loadgen.Late); cut != all[0].Unanswered() {
		t.Errorf("%d were cut off, %+v:\n%s", cut, all[0], &result)
	}
	if result.OK() != int(all[0].Finished) {
		t.Errorf("%+v:\n%s", all[0], &result)
	}
}

func TestSignalsLeaveLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lines")
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		t.Fatal(err)
	}
	lines, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lines.Close()
	r := start(t, "http -notify -hup "+file+" -usr2 "+file)
	r.message(t)
	reader := bufio.NewReader(lines)
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGUSR2} {
		r.Process.Signal(sig)
		line, err := reader.ReadString('\n')
		if err != nil || loadgen.ParseWorker(line).PID != r.Process.Pid {
			t.Errorf("%s: %q, %v", sig, line, err)
		}
	}
}

// TestCountersSurviveKill: what the clients lost is never more than what the
// guest had accepted and not answered.
func TestCountersSurviveKill(t *testing.T) {
	dir := t.TempDir()
	r := start(t, "http -notify -work 2ms -counters "+dir)
	r.message(t)
	load, err := loadgen.Start(t.Context(), loadgen.Config{Address: r.address, Clients: 8, Duration: time.Minute, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := load.Await(t.Context(), 200); err != nil {
		t.Error(err)
	}
	r.Process.Kill()
	<-r.exited
	result := load.Stop()
	all, err := ReadCounters(dir)
	if err != nil || len(all) != 1 || all[0].PID != r.Process.Pid {
		t.Fatalf("%+v, %v", all, err)
	}
	c := all[0]
	// Each client has one request in hand, and may have read the answer to another before write(2) returned here.
	if c.Started < 200 || c.Accepted < uint64(result.OK()) || c.Unanswered() < 0 || c.Accepted-c.Started > 8 || c.Unanswered() > 8+8+1 {
		t.Errorf("%+v", c)
	}
	if answered := result.OK(); answered < int(c.Finished)-8 || answered > int(c.Started) {
		t.Errorf("%d answered, %+v", answered, c)
	}
}

func TestExitCodes(t *testing.T) {
	for words, want := range map[string]int{
		"crashing":               1,
		"crashing -code 7":       7,
		"crashing -after 50ms":   1,
		"nobody":                 exitUsage,
		"http -wrong":            exitUsage,
		"crashing extra":         exitUsage,
		"port-only -after -1ns":  exitFailure, // PORT is not set
		"watchdog":               exitFailure, // WATCHDOG_USEC neither
		"http -counters /no/dir": exitFailure,
	} {
		t.Run(words, func(t *testing.T) {
			if got := start(t, words, "PORT=x").code(t); got != want {
				t.Errorf("ended with %d, want %d", got, want)
			}
		})
	}
	t.Run("signal", func(t *testing.T) {
		r := start(t, "crashing -signal 6 -stderr oops")
		r.code(t)
		if status := r.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGABRT {
			t.Errorf("ended by %v", r.ProcessState)
		}
		if !strings.HasPrefix(r.stderr.String(), "oops\n") {
			t.Errorf("said %q", r.stderr.String())
		}
	})
}

func TestRecyclingEnds(t *testing.T) {
	r := start(t, "recycling -requests 5 -notify")
	r.message(t)
	load, err := loadgen.Run(t.Context(), loadgen.Config{Address: r.address, Requests: 5})
	if err != nil || load.OK() != 5 {
		t.Errorf("%v:\n%s", err, &load)
	}
	if code := r.code(t); code != 0 {
		t.Errorf("ended with %d", code)
	}
}

func TestStubbornObeysKillAlone(t *testing.T) {
	r := start(t, "stubborn -notify")
	r.message(t)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGTERM} {
		r.Process.Signal(sig)
	}
	var facts Facts
	r.get(t, "/", &facts) // it serves on
	r.Process.Kill()
	r.code(t)
}

func TestSlowReady(t *testing.T) {
	begin := time.Now()
	r := start(t, "slow-ready -after 200ms")
	var facts Facts
	r.get(t, "/", &facts)
	if r.message(t) != "READY=1" || time.Since(begin) < 200*time.Millisecond {
		t.Errorf("ready after %s", time.Since(begin))
	}
}

func TestNeverReady(t *testing.T) {
	r := start(t, "never-ready")
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("somebody answered: %v", err)
	}
	r.Process.Signal(syscall.SIGTERM)
	r.code(t) // 0, or death by TERM when that came before the handler
}

func TestForkingLeavesItsChildren(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	r := start(t, "forking -children 2 -ignore -leave -pids "+file)
	if got := r.message(t); got != "READY=1" {
		t.Fatalf("said %q", got)
	}
	if code := r.code(t); code != 0 {
		t.Fatalf("ended with %d: %s", code, r.stderr.String())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pids := strings.Fields(string(data))
	if len(pids) != 2 {
		t.Fatalf("children %q", pids)
	}
	if err := syscall.Kill(-r.Process.Pid, syscall.SIGTERM); err != nil {
		t.Errorf("the group is empty: %v", err)
	}
	for _, pid := range pids {
		if _, err := os.Stat("/proc/" + pid); err != nil {
			t.Error(err)
		}
	}
}

func TestWatchdogFallsSilent(t *testing.T) {
	r := start(t, "watchdog -pings 3", "WATCHDOG_USEC=100000")
	counts := make(map[string]int)
	for range 4 {
		counts[r.message(t)]++
	}
	if counts["READY=1"] != 1 || counts["WATCHDOG=1"] != 3 {
		t.Errorf("said %v", counts)
	}
	r.notify.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	if _, err := r.notify.Read(make([]byte, 100)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it goes on: %v", err)
	}
	var facts Facts
	r.get(t, "/", &facts)
}

func TestPortOnly(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	listener.Close()
	r := start(t, "port-only -notify", "PORT="+port)
	r.message(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	load, err := loadgen.Run(ctx, loadgen.Config{Address: address, Requests: 3})
	if err != nil || load.OK() != 3 {
		t.Errorf("%v:\n%s", err, &load)
	}
}

func TestNamedByEnvironment(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), Env+"=crashing -code 9")
	cmd.Stderr = io.Discard
	var exit *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != 9 {
		t.Errorf("got %v", err)
	}
}
