//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/testhost"
)

// bangui is one of the configurations of the example, on this machine.
type bangui struct {
	*managed
	port     int
	fail2ban *fail2ban
}

// visitors ask one after the other.
const visitors = 3

// refusal is what an instance says that finds the lock held.
const refusal = "another instance runs the scheduler"

// beginBangui starts a configuration of the example, as it is but for places, names and
// the times between two probes.
func beginBangui(t *testing.T, name string, env []string, pairs ...string) *bangui {
	t.Helper()
	testhost.Need(t, testhost.Program("uvicorn"), testhost.Succeeds("/usr/bin/python3", "-c", "import fastapi"))
	dir, port := site(t), freePort(t)
	b := &bangui{port: port, fail2ban: newFail2ban(t, filepath.Join(dir, "fail2ban.sock"))}
	env = append(append(debians(), env...), "BANGUI_DATABASE_PATH="+filepath.Join(dir, "bangui.db"), "BANGUI_FAIL2BAN_SOCKET="+filepath.Join(dir, "fail2ban.sock"))
	path := example(t, "bangui/"+name, dir, append(pairs,
		"user = \"bangui\"\n", "", "/opt/bangui/backend", filepath.Join(exampleDir("bangui"), "stand-in"),
		"127.0.0.1:8000", address(port), "127.0.0.1:9180", "unix:"+filepath.Join(dir, "http.sock"),
		"period = \"2s\"", "period = \"100ms\"", "period = \"30s\"", "period = \"100ms\"", "failure_threshold = 20", "failure_threshold = 200",
	)...)
	b.managed = &managed{path: path, brood: begin(t, options{file: path, env: env})}
	return b
}

func (b *bangui) pool() pool { return b.status().named("backend") }

// load asks as clients do.
func (b *bangui) load() *loadgen.Load {
	b.t.Helper()
	return startLoad(b.t, address(b.port), func(c *loadgen.Config) { c.Path, c.Clients, c.Think = "/api/v1/health", visitors, 4*time.Millisecond })
}

// happened are what workers have said, and when.
func (b *bangui) happened(events ...string) (all []happening) {
	b.t.Helper()
	for line := range strings.Lines(read(b.t, b.log)) {
		var l struct {
			Log happening `json:"log"`
		}
		if json.Unmarshal([]byte(line), &l) == nil && slices.Contains(events, l.Log.Event) {
			all = append(all, l.Log)
		}
	}
	return all
}

type happening struct {
	Event     string `json:"event"`
	PID       int    `json:"pid"`
	Cancelled int    `json:"cancelled_count"`
}

// submit gives the scheduler a job. Instances without one refuse it.
func (b *bangui) submit(seconds string) (scheduler int) {
	b.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	for range 200 {
		response, err := client.Post("http://"+address(b.port)+"/api/v1/jobs?seconds="+seconds, "", nil)
		if err != nil {
			b.t.Fatal(err)
		}
		var by struct{ PID int }
		err = json.NewDecoder(response.Body).Decode(&by)
		response.Body.Close()
		if err == nil && response.StatusCode == http.StatusOK {
			return by.PID
		}
	}
	b.t.Fatal("nobody takes a job")
	return 0
}

// fail2ban is asked by each look at the health of an instance, and answers with a word.
type fail2ban struct {
	word  atomic.Pointer[string]
	asked atomic.Int64
}

const (
	healthy, degraded, unavailable = "pong", "busy", ""
)

func newFail2ban(t *testing.T, path string) *fail2ban {
	t.Helper()
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	f := &fail2ban{}
	f.word.Store(new(healthy))
	done := make(chan struct{})
	go func() { // ends with Close below
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(conn, *f.word.Load())
			conn.Close()
			f.asked.Add(1)
		}
	}()
	t.Cleanup(func() { listener.Close(); <-done })
	return f
}

// says makes fail2ban be in a state, and waits until it has been asked a number of times.
func (b *bangui) says(word string, times int64) {
	b.t.Helper()
	b.fail2ban.word.Store(&word)
	from := b.fail2ban.asked.Load()
	b.await("questions", func() bool { return b.fail2ban.asked.Load() >= from+times })
}

// TestExampleBanguiAlone is the program as it is written today, with times a 25th of the
// real ones. It is replaced without an overlap, while requests wait, is not
// punished for the absence of another service, and comes back when the lock of one that
// crashed has run out.
func TestExampleBanguiAlone(t *testing.T) {
	t.Parallel()
	current(t, "bangui/brood.toml", map[string][]string{"bangui.service": {"units", "--binary", "/usr/local/bin/brood"}})
	env := []string{"BANGUI_HEARTBEAT_SECONDS=0.2", "BANGUI_LOCK_TTL_SECONDS=2.4", "BANGUI_SHUTDOWN_TIMEOUT_SECONDS=1"}
	b := beginBangui(t, "brood.toml", env, `"30s"                     #`, `"3s" #`, `backoff = "1s"`, `backoff = "40ms"`, `max_backoff = "30s"`, `max_backoff = "1200ms"`)
	b.awaitReady()
	first := b.pool().Workers[0]
	if !strings.Contains(read(t, fmt.Sprintf("/proc/%d/environ", first.PID)), "\x00BANGUI_CORS_ALLOWED_ORIGINS=\x00") {
		t.Error("the empty list of origins did not arrive")
	}

	b.says(degraded, 8)
	if p := b.pool(); !p.whole() {
		t.Errorf("degraded is healthy: %s", p)
	}
	b.says(unavailable, 8)
	b.await("it to be unready", func() bool { return b.pool().Ready == 0 })
	b.says(unavailable, 16) // five failures of either probe
	b.says(healthy, 0)
	b.await("it to be ready", b.whole)
	if p := b.pool(); p.Workers[0].PID != first.PID || len(b.causes()) != 0 {
		t.Errorf("it was restarted because fail2ban was away: %s, %v", p, b.causes())
	}

	load := b.load()
	for _, seconds := range []string{"0.3", "600"} {
		if err := load.Await(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		b.submit(seconds)
		b.must("roll", "--wait")
	}
	result := load.Stop()
	if result.Failed() > 0 || len(result.PIDs()) < 2 {
		t.Errorf("under two rollouts:\n%s", &result)
	}
	t.Logf("two rollouts of one worker: %d of %d requests failed, the longest took %s",
		result.Failed(), result.Requests(), result.Latency.Max().Round(time.Millisecond))
	b.shutDown(first.PID, "pending_tasks_completed")
	b.shutDown(b.happened("scheduler_lock_acquired")[1].PID, "pending_tasks_timeout")
	if held := b.happened("scheduler_lock_held_by_other_instance"); len(held) != 0 {
		t.Errorf("successors met the lock: %+v", held)
	}
	b.awaitSaid("worker died", 2)
	if causes := b.causes(); len(causes) != 1 || causes["stopped"] != 2 {
		t.Errorf("deaths: %v", causes)
	}

	crashed := time.Now()
	if err := syscall.Kill(b.pool().Workers[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	b.await("the end of the lock", func() bool { return len(b.happened("scheduler_lock_acquired")) == 4 && b.whole() })
	refused := len(b.happened("scheduler_lock_held_by_other_instance"))
	t.Logf("after a crash: ready after %s, refused %d times", time.Since(crashed).Round(10*time.Millisecond), refused)
	if refused < 1 || refused > 10 { // where a start takes a second there are two
		t.Errorf("%d attempts while the lock was held", refused)
	}
	if strings.Count(read(t, b.log), refusal) < refused {
		t.Error("the log of brood does not say why")
	}
	b.must("stop")
	if code := b.code(); code != 0 {
		t.Errorf("brood ended with %d", code)
	}
}

// shutDown demands that an instance ended in the order of the guide.
func (b *bangui) shutDown(pid int, tasks string) {
	b.t.Helper()
	want := []string{
		"bangui_shutting_down", "scheduler_stopped_accepting_jobs", "waiting_for_pending_tasks", tasks,
		"http_session_closed", "external_logging_shutdown_complete", "scheduler_lock_released", "bangui_shut_down",
	}
	var got []string
	for _, h := range b.happened(append(want, "pending_tasks_completed", "pending_tasks_timeout")...) {
		if h.PID == pid {
			got = append(got, h.Event)
		}
	}
	if !slices.Equal(got, want) {
		b.t.Errorf("%d ended like this: %q\nwant %q", pid, got, want)
	}
}

// TestExampleBanguiTooMany: whoever starts three of what may be there once gets one, and
// a clear word of the others, which do not spin.
func TestExampleBanguiTooMany(t *testing.T) {
	t.Parallel()
	b := beginBangui(t, "brood.toml", nil, "workers = 1", "workers = 3")
	b.await("one to serve", func() bool { return strings.Contains(read(t, b.log), `"message":"worker ready"`) })
	b.await("two attempts of the others", func() bool { return len(b.said("worker died")) >= 4 })
	p, deaths := b.pool(), b.said("worker died")
	if p.Ready != 1 || len(deaths) > 6 {
		t.Errorf("%d deaths: %s", len(deaths), p)
	}
	if text := b.must("logs"); !strings.Contains(text, refusal) {
		t.Errorf("brood logs does not say why:\n%s", text)
	}
	if got := b.happened("scheduler_lock_acquired"); len(got) != 1 {
		t.Errorf("these got the lock: %+v", got)
	}
	b.submit("0")
}

// TestExampleBanguiStorm: whoever has 503 count as death all the same, as the guide's own
// health check does, gets one death of it, because a worker that was not ready yet is not
// asked whether it lives. It leaves its lock behind.
func TestExampleBanguiStorm(t *testing.T) {
	t.Parallel()
	b := beginBangui(t, "brood.toml", []string{"BANGUI_HEARTBEAT_SECONDS=0.1", "BANGUI_LOCK_TTL_SECONDS=0.5"}, `status = "200-399,503"            # a restart`, `# a restart`, `backoff = "1s"`, `backoff = "200ms"`)
	b.awaitReady()
	b.says(unavailable, 0)
	b.await("a successor with the lock", func() bool { return len(b.happened("scheduler_lock_acquired")) == 2 })
	b.says(unavailable, 12) // more than either probe needs to fail
	if causes := b.causes(); causes["probe"] != 1 || len(b.happened("scheduler_lock_acquired")) != 2 {
		t.Errorf("without fail2ban: %s, deaths %v", b.pool(), causes)
	}
	b.says(healthy, 0)
	b.await("it to be ready", b.whole)
}

// TestExampleBanguiLeader is the program that looks at BROOD_LEADER, three times, with the
// real times of the lock: in a rollout it is handed over at once.
func TestExampleBanguiLeader(t *testing.T) {
	t.Parallel()
	current(t, "bangui/leader.toml", nil)
	b := beginBangui(t, "leader.toml", nil, "leader = true ", "rollout.settle = \"200ms\"\nleader = true ")
	b.awaitReady()
	load := b.load()
	for round := range 2 {
		leader := b.pool().Workers[0]
		if by := b.submit("0.2"); by != leader.PID || !leader.Leader {
			t.Errorf("%d has the scheduler, the leader is %+v", by, leader)
		}
		b.must("roll", "--wait")
		b.await("who is on the way out", b.whole)
		b.shutDown(leader.PID, "pending_tasks_completed")
		if got := b.happened("scheduler_lock_acquired"); len(got) != round+2 || got[round+1].PID != b.pool().Workers[0].PID {
			t.Errorf("these got the lock: %+v", got)
		}
	}
	before := b.pool()
	b.must("restart", "backend.1")
	after := b.pool()
	if after.Workers[0].PID != before.Workers[0].PID || after.Workers[1].PID == before.Workers[1].PID {
		t.Errorf("a restart of slot 1 changed\n%s\nto\n%s", before, after)
	}
	if result := load.Stop(); result.Failed() != 0 || len(result.PIDs()) < 6 {
		t.Errorf("under two rollouts:\n%s", &result)
	} else {
		t.Logf("two rollouts of three workers: %d requests, 0 failed", result.Requests())
	}
	if held := b.happened("scheduler_lock_held_by_other_instance"); len(held) != 0 {
		t.Errorf("successors met the lock: %+v", held)
	}
	b.must("stop")
	if code := b.code(); code != 0 {
		t.Errorf("brood ended with %d", code)
	}
	if end := b.happened("scheduler_lock_released"); len(end) != 3 {
		t.Errorf("the lock was released by %+v", end)
	}
}

// TestExampleBanguiReadme: the commands of the page make a service that serves, and is
// reloaded without an overlap.
func TestExampleBanguiReadme(t *testing.T) {
	t.Parallel()
	testhost.Need(t, testhost.Root, testhost.Program("curl"), testhost.Program("uvicorn"), testhost.Succeeds("/usr/bin/python3", "-c", "import fastapi"))
	m, said := readme(t, "bangui", func(m *machine) {
		for _, file := range []string{"main.py", "leading.py"} {
			m.copy(filepath.Join(exampleDir("bangui"), "stand-in", "app", file), filepath.Join("/opt/bangui/backend/app", file))
		}
		m.Must(t.Context(), "chmod", "0777", "/opt/bangui/backend") // for the database
		m.Install("/usr/local/lib/fail2ban.py", 0o644, []byte(`
import os, socket
os.makedirs("/var/run/fail2ban", exist_ok=True)
s = socket.socket(socket.AF_UNIX); s.bind("/var/run/fail2ban/fail2ban.sock"); os.chmod("/var/run/fail2ban/fail2ban.sock", 0o777); s.listen()
while True:
    c = s.accept()[0]; c.sendall(b"pong"); c.close()
`))
		m.Unit("fail2ban-stand-in.service", "[Service]\nExecStart=/usr/bin/python3 /usr/local/lib/fail2ban.py\n")
		m.ctl("start", "fail2ban-stand-in.service")
		m.await("fail2ban", func() bool {
			_, _, code := m.Run(t.Context(), "test", "-S", "/var/run/fail2ban/fail2ban.sock")
			return code == 0
		})
	})
	if !strings.Contains(said, "1/1 ready") || !strings.Contains(said, `{"status":"ok"}`) {
		t.Errorf("they say:\n%s", said)
	}
	m.ctl("stop", m.unit)
	if state, result := m.show("ActiveState"), m.show("Result"); state != "inactive" || result != "success" {
		t.Errorf("after the stop it is %s, %s\n%s", state, result, m.journal())
	}
}
