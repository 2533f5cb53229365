//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/testhost"
)

// first is one instance of the example, on this machine.
type first struct {
	*managed
	dir  string
	port int
}

// beginFirst starts an instance, as it is but for places, names and times.
func beginFirst(t *testing.T, name string, port int, pairs ...string) *first {
	t.Helper()
	f := &first{dir: site(t), port: port}
	path := example(t, "first-gateway/"+name, f.dir, append(slices.Clone(pairs),
		"user = \"gateway\"\n", "",
		"/opt/first-gateway", filepath.Join(exampleDir("first-gateway"), "stand-in"),
		"127.0.0.1:8000", address(port), "127.0.0.1:9180", "unix:"+filepath.Join(f.dir, "http.sock"),
		"/var/log/first-gateway", f.dir, `canary = "60s"`, `canary = "0s"`, `settle = "10s"`, `settle = "300ms"`,
	)...)
	f.managed = &managed{path: path, brood: begin(t, options{file: path, env: debians()})}
	return f
}

func (f *first) pool() pool { return f.status().named("gateway") }

// lines are those that the gateway wrote about requests: in the file at hand and in
// those that were full, each whole, and none twice.
func (f *first) lines() int {
	f.t.Helper()
	files, err := filepath.Glob(filepath.Join(f.dir, "gateway.log*"))
	if err != nil || len(files) < 2 || len(files) > 101 {
		f.t.Errorf("the log is in %q, %v", files, err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		for line := range strings.Lines(read(f.t, file)) {
			if !strings.Contains(line, `"message"`) {
				continue // uvicorn's and gunicorn's own
			}
			var l struct{ Asctime, Name, Levelname, Message string }
			if err := json.Unmarshal([]byte(line), &l); err != nil || l.Asctime == "" || l.Levelname != "INFO" || l.Name != "gateway" {
				f.t.Fatalf("a line of %s is not whole: %q", file, line)
			}
			id, is := strings.CutPrefix(l.Message, "request ")
			if seen[id] {
				f.t.Errorf("%s is there twice", id)
			}
			seen[id] = is
		}
	}
	return len(seen) - 1 // beside the one for all lines about ends
}

// startNginx runs nginx with the example's file in front of two ports.
func startNginx(t *testing.T, front string, blue, green int) {
	t.Helper()
	dir := site(t)
	path := example(t, "first-gateway/nginx.conf", dir, "listen 80;", "listen "+front+";",
		"127.0.0.1:8000", address(blue), "127.0.0.1:8001", address(green), "keepalive_timeout 4s", "keepalive_timeout 200ms")
	main := filepath.Join(dir, "main.conf")
	write(t, main, fmt.Sprintf("daemon off; user root; worker_processes 1; pid %[1]s/pid; error_log stderr warn;\n"+
		"events { worker_connections 512; }\nhttp { access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p;\n"+
		"fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s; include %[2]s; }\n", dir, path))
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := here(context.Background(), nginxBin(), "-c", main)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("nginx said:\n%s", tail(log.Name(), 20))
		}
	})
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for range int(patience / (20 * time.Millisecond)) {
		if conn, err := net.Dial("tcp", front); err == nil {
			conn.Close()
			return
		}
		<-look.C
	}
	t.Fatal("nginx does not listen")
}

// TestExampleFirst runs the two ways of the example, and the commands of its page, beside
// each other.
func TestExampleFirst(t *testing.T) {
	t.Parallel()
	testhost.Need(t, testhost.Program("uvicorn"), testhost.Program("gunicorn"), testhost.Program("nginx"))
	current(t, "first-gateway/brood.toml", map[string][]string{"first-gateway.service": {"units", "--binary", "/usr/local/bin/brood"}})
	current(t, "first-gateway/gunicorn.toml", nil)
	ports := freePorts(t, 4)
	t.Run("uvicorn", func(t *testing.T) { t.Parallel(); firstByUvicorn(t, ports[0], ports[1], address(ports[2])) })
	t.Run("gunicorn", func(t *testing.T) { t.Parallel(); firstByGunicorn(t, ports[3]) })
	t.Run("readme", func(t *testing.T) { t.Parallel(); firstByThePage(t) })
}

// firstByUvicorn is two instances behind nginx, as the guide has them. They are rolled one
// after the other, a worker is recycled, one is stopped, and one has a loop that does not
// answer. Scaled are the times, the size of a file, and the number of requests of a worker;
// files are kept until all lines have been counted.
func firstByUvicorn(t *testing.T, bluePort, greenPort int, front string) {
	scaled := []string{
		`"/etc/first-gateway"`, strconv.Quote(exampleDir("first-gateway")), `"2*cpus+1"`, "3", `"25%"`, `"100%"`, `LEAVE_SECONDS = "5" `, `LEAVE_SECONDS = "0.8" `, `grace = "120s"`, `grace = "3s"`, `"10M"`, `"64K"`, "keep = 10", "keep = 100",
	}
	blue := beginFirst(t, "brood.toml", bluePort, append(scaled, "max_requests = 1000", "max_requests = 100", `gap = "1s"`, `gap = "3s"`,
		`period = "10s"`, `period = "200ms"`, `timeout = "10s"`, `timeout = "200ms"`)...)
	green := beginFirst(t, "brood.toml", greenPort, append(scaled, `hang = "120s"`, `hang = "1s"`, "max_requests = 1000", "max_requests = 100000")...)
	startNginx(t, front, bluePort, greenPort)
	blue.awaitReady()
	green.awaitReady()

	load := startChat(t, front, 4, question{words: 2, pause: 0.002}, true)
	streams := startChat(t, front, 4, question{words: 10, pause: 0.1, stream: true}, true)
	endless := endlessStream(front)
	sockets := map[int]<-chan conversation{}
	for range 4 {
		w := dialWebSocket(t, front, "/ws")
		answer, _, err := w.ask("who")
		var pid int
		if _, scanned := fmt.Sscan(answer, &pid); err != nil || scanned != nil {
			t.Fatalf("%q, %v", answer, err)
		}
		sockets[pid] = w.converse() // of several at one worker the last
	}
	for _, f := range []*first{blue, green} {
		old := f.pool().pids()
		f.must("roll", "--wait")
		f.await("the end of who is on the way out", f.whole)
		for _, pid := range old {
			f.cameAgain(pid, sockets[pid])
		}
	}
	e := <-endless
	t.Logf("a stream without end: cut after %d words: %v", e.words, e.err)
	cut := slices.ContainsFunc([]*first{blue, green}, func(f *first) bool { return f.diedOf("killed_late", e.pid) })
	if e.err == nil || e.words < 30 || !cut || slices.Contains(slices.Concat(blue.pool().pids(), green.pool().pids()), e.pid) {
		t.Errorf("a stream without end, of worker %d: %d words, %v", e.pid, e.words, e.err)
	}
	blue.await("a worker that has served enough", func() bool { return blue.causes()["recycled"] > 0 })
	long, short := streams.flawless(), load.flawless()
	t.Logf("two rollouts and recyclings: %d streams of a second and %d short answers", long, short)
	if is, was := green.causes(), blue.causes(); is["stopped"]+was["stopped"] < 3 {
		t.Errorf("deaths: %v, %v", was, is)
	}

	// A worker that is due to be recycled might be told to leave before it is found to be blocked: from here on none is.
	before, after, found := strings.Cut(read(t, blue.path), "max_requests = 100 ")
	if !found {
		t.Fatalf("%s%s does not say it", before, after)
	}
	write(t, blue.path, before+"max_requests = 100000 "+after)
	blue.must("reload")
	blue.must("roll", "--wait")
	blue.await("the new workers alone", blue.whole)
	load = startChat(t, front, 4, question{words: 2, pause: 0.002}, true)
	stopped := green.pool().Workers[0].PID
	if err := syscall.Kill(stopped, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	blocked := blue.block()
	green.await("the stopped one to be replaced", func() bool { return green.diedOf("hang", stopped) && green.whole() })
	blue.await("the blocked one to be replaced", func() bool { return blue.causes()["probe"] > 0 && blue.whole() })
	<-blocked
	ok, failed, failures := load.stop()
	t.Logf("one worker stopped, one blocked: %d of %d failed: %v", failed, ok+failed, failures)
	if deaths := green.causes()["hang"] + blue.causes()["probe"]; failed > 4*deaths {
		t.Errorf("more failed than the %d had in hand", deaths)
	}
	blue.ends()
	green.ends()
	if lines, want := blue.lines()+green.lines(), long+short+ok+1; lines < want || lines > want+failed {
		t.Errorf("%d lines for %d requests, %d failed", lines, want, failed)
	}
}

// firstByGunicorn is what the guide runs: gunicorn replaces its workers by itself, also one
// that is silent, and brood has nothing to do with it. What it loses is no less for brood.
func firstByGunicorn(t *testing.T, port int) {
	settings := filepath.Join(exampleDir("first-gateway"), "gunicorn_asgi.config.py")
	dir := site(t)
	scaled := example(t, "first-gateway/gunicorn_asgi.config.py", dir, "max_requests = 1000", "max_requests = 200", "jitter = 50", "jitter = 10",
		"timeout = 120", "timeout = 2")
	f := beginFirst(t, "gunicorn.toml", port, filepath.Join("/etc/first-gateway", filepath.Base(settings)), scaled, `"10M"`, `"64K"`, "keep = 10", "keep = 100")
	f.awaitReady()
	load := startChat(t, address(port), 4, question{words: 2, pause: 0.002}, false)
	arbiter := f.pool().Workers[0].PID
	workers := 2*runtime.NumCPU() + 1
	f.await("workers that follow others", func() bool { return load.workers() >= workers+3 && len(childrenOf(arbiter)) == workers })
	silent := childrenOf(arbiter)[0]
	if err := syscall.Kill(silent, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	f.await("gunicorn to kill the silent one", func() bool {
		now := childrenOf(arbiter)
		return len(now) == workers && !slices.Contains(now, silent)
	})
	ok, failed, failures := load.stop()
	t.Logf("%d workers of gunicorn answered; %d of %d failed: %v", load.workers(), failed, ok+failed, failures)
	if p := f.pool(); p.Restarts != 0 || p.Workers[0].PID != arbiter || failed > ok/20 {
		t.Errorf("%s", p)
	}
	f.ends()
	if lines := f.lines(); lines < ok || lines > ok+failed {
		t.Errorf("%d lines for %d requests, %d failed", lines, ok, failed)
	}
}

// firstByThePage runs the commands of README.md: two instances that share nothing serve
// behind Debian's nginx.
func firstByThePage(t *testing.T) {
	testhost.Need(t, testhost.Root, testhost.Program("curl"))
	m, said := readme(t, "first-gateway", func(m *machine) {
		const app = "inference_gateway/asgi.py"
		m.copy(filepath.Join(exampleDir("first-gateway"), "stand-in", app), filepath.Join("/opt/first-gateway", app))
	})
	if workers := 2*runtime.NumCPU() + 1; !strings.Contains(said, fmt.Sprintf("%d/%[1]d ready", workers)) || !strings.HasSuffix(said, `{"status": "ok", "length": 0}`) {
		t.Errorf("they say:\n%s", said)
	}
	status := m.Must(t.Context(), "brood", "status", "--name", "first-gateway-green")
	for _, own := range []string{"127.0.0.1:8001", "/etc/first-gateway/green.toml"} {
		if !strings.Contains(status, own) {
			t.Errorf("%s is not there:\n%s", own, status)
		}
	}
	m.Must(t.Context(), "curl", "-fsS", "http://127.0.0.1:8001/ready", "http://127.0.0.1:9181/readyz")
	m.Must(t.Context(), "test", "-s", "/var/log/first-gateway-green/gateway.log", "-a", "-s", "/var/log/first-gateway/gateway.log")
}

// diedOf tells whether a worker has died, of that cause.
func (f *first) diedOf(cause string, pid int) bool {
	f.t.Helper()
	return slices.ContainsFunc(f.said("worker died"), func(e logLine) bool { return e.PID == pid && e.Cause == cause })
}

// ends ends it and all that is below.
func (f *first) ends() {
	f.t.Helper()
	f.must("stop")
	if code := f.code(); code != 0 {
		f.t.Errorf("brood ended with %d", code)
	}
}

// ended is what became of a stream without end.
type ended struct {
	pid, words int
	err        error
}

// endlessStream asks for one, and tells of its end.
func endlessStream(front string) <-chan ended {
	end := make(chan ended, 1)
	go func() { // its worker is stopped at the deadline of a rollout
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
		var e ended
		var pid string
		pid, e.words, e.err = completion(client, front, question{words: 1 << 20, pause: 0.05, stream: true})
		_, _ = fmt.Sscan(pid, &e.pid) // 0 is nobody's
		end <- e
	}()
	return end
}

// cameAgain demands that a WebSocket of a worker that was rolled, if it had one, was
// served until the pauses were over, and then told to come again.
func (f *first) cameAgain(pid int, end <-chan conversation) {
	f.t.Helper()
	if end == nil {
		return
	}
	said, told := <-end, time.Time{}
	for _, e := range f.said("worker told to leave") {
		if e.PID == pid {
			told = e.Time
		}
	}
	served := said.last.Sub(told)
	f.t.Logf("a WebSocket: served for %s after its worker was told to leave, closed with %d", served.Round(10*time.Millisecond), said.code)
	if said.err != nil || said.code != 1012 || told.IsZero() || served < 500*time.Millisecond {
		f.t.Errorf("it ended like this: %+v", said)
	}
}

// block keeps the loop of one worker busy for longer than the test lasts, and is done when
// that has ended.
func (f *first) block() <-chan struct{} {
	done := make(chan struct{})
	go func() { // ends with the worker
		defer close(done)
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
		if response, err := client.Post("http://"+address(f.port)+"/block", "", strings.NewReader("600")); err == nil {
			response.Body.Close()
		}
	}()
	return done
}
