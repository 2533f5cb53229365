//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/testhost"
)

// engine is the example inference-engine on this machine, with real services.
type engine struct {
	*managed
	port, redisPort int
	redis           *service
	hold            string // files here hold up the slow model
	client          *http.Client
}

// engineKeys have all that a value may be split at.
const engineKeys = "key1:tenant_a:predict,read_models;key2:tenant_b:predict,read_models,admin"

// TestExampleInference runs the example as it is but for places, ports, a worker less and the times of
// the stand-in: from a machine without its services to the end of its last job.
func TestExampleInference(t *testing.T) {
	t.Parallel()
	current(t, "inference-engine/brood.toml", map[string][]string{"inference-engine.service": {"units", "--binary", "/usr/local/bin/brood"}})
	e := startEngine(t)
	e.variables(t)
	lost := e.killed(t)
	e.nginx(t)
	e.rolled(t, lost)
	e.outage(t)
	e.stopped(t)
}

func startEngine(t *testing.T) *engine {
	t.Helper()
	testhost.Need(t, testhost.Program("uvicorn"), testhost.Program("redis-server"), testhost.Program("nginx"), postgresIsThere,
		testhost.Succeeds("/usr/bin/python3", "-c", "import fastapi, redis.asyncio, asyncpg"))
	dir, ports := site(t), freePorts(t, 3)
	env := []string{
		foundIn(filepath.Join(exampleDir("inference-engine"), "stand-in"), "/usr/bin"), "PYTHONDONTWRITEBYTECODE=1",
		"STAND_IN_LOAD=0.2", "STAND_IN_POLL=0.05", "STAND_IN_HEAVY=0.3", "STAND_IN_HOLD=" + dir,
	}
	e := &engine{port: ports[0], redisPort: ports[1], hold: dir, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}}
	pairs := []string{
		"user = \"inference\"\n", "", "/opt/inference-engine", filepath.Join(exampleDir("inference-engine"), "stand-in"),
		"127.0.0.1:8000", address(e.port), "127.0.0.1:9180", "unix:" + filepath.Join(dir, "http.sock"),
		"workers = 4", "workers = 3", `max_backoff = "10s"`, `max_backoff = "1s"`, "127.0.0.1:6379", address(e.redisPort), "127.0.0.1:5432", address(ports[2]),
	}

	// Without its variables and services nothing starts, and each is named.
	path := example(t, "inference-engine/brood.toml", dir, append(pairs, `requires_timeout = "30s"`, `requires_timeout = "100ms"`)...)
	refused := begin(t, options{file: path, env: env})
	if code := refused.code(); code != 1 {
		t.Errorf("without what it requires brood ended with %d, want 1", code)
	}
	for _, missing := range []string{"API_KEYS is not set", "REDIS_URL is not set", address(e.redisPort) + " does not answer", address(ports[2]) + " does not answer"} {
		if !strings.Contains(read(t, refused.log), missing) {
			t.Errorf("nothing is said of %q:\n%s", missing, read(t, refused.log))
		}
	}

	// Whoever leaves the requirements to the program sees what it says.
	example(t, "inference-engine/brood.toml", dir, append(pairs, "requires = [", "requires = [] #", "workers = 2", "workers = 1", "[pool.queue.stop]", "[pool.queue.env]\nENV = \"production\"\n\n[pool.queue.stop]")...)
	alone := begin(t, options{file: path, env: env})
	alone.await("its words at the top of the status", func() bool {
		stdout, _, code := alone.verb("status")
		top, _, _ := strings.Cut(stdout, "\n\n")
		return code == 0 && strings.Contains(top, "ENV=production without API_KEYS")
	})
	alone.stop()

	// The one pool finds the keys in a file, the other one in the configuration.
	source := postgres(t, ports[2])
	secrets := example(t, "inference-engine/.env.example", dir, "postgresql://user:password@127.0.0.1:5432/inference", source.String(),
		"localhost:6379", fmt.Sprintf("localhost:%d", e.redisPort))
	if err := os.Rename(secrets, filepath.Join(dir, ".env")); err != nil {
		t.Fatal(err)
	}
	example(t, "inference-engine/brood.toml", dir, append(pairs, "requires_timeout = \"30s\"\nreload", "requires_timeout = \"500ms\"\nreload",
		"_timeout = \"2m\"", "_timeout = \"2m\"\nsettle = \"200ms\"", `ready = "notify" `, `env = {API_KEYS = "`+engineKeys+`"}`+"\n"+`ready = "notify" `)...)
	e.managed = &managed{path: path, brood: begin(t, options{file: path, env: env})}
	e.await("the queue to look for Redis", func() bool {
		stdout, _, code := e.verb("status", "--output", "json")
		return code == 0 && parseStatus(t, stdout).named("queue").Phase == "preparing"
	})
	e.redis = redisServer(t, e.redisPort)
	e.awaitReady()
	const started, ready = "worker started", "worker ready"
	got := strings.Join(e.events(started, ready, "worker died"), "\n")
	if last, first := strings.LastIndex(got, "queue: "+ready), strings.Index(got, "api: "+started); last < 0 || first < last || strings.Contains(got, "died") {
		t.Errorf("not PostgreSQL and Redis, then the queue, then the API:\n%s", got)
	}
	return e
}

// ask asks the API as a tenant does.
func (e *engine) ask(method, path string) (body map[string]any, status int, err error) {
	request, err := http.NewRequestWithContext(e.t.Context(), method, "http://"+address(e.port)+path, nil)
	if err != nil {
		return nil, 0, err
	}
	request.Header.Set("X-API-Key", "key2")
	response, err := e.client.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	return body, response.StatusCode, json.NewDecoder(response.Body).Decode(&body)
}

// submit gives the queue a job of the slow model and waits until a worker has it.
func (e *engine) submit() (job string, worker int) {
	e.t.Helper()
	body, status, err := e.ask(http.MethodPost, "/jobs?model=heavy_model:v1")
	if err != nil || status != http.StatusAccepted {
		e.t.Fatalf("no job was taken: %d, %v: %v", status, err, body)
	}
	job = fmt.Sprint(body["job"])
	e.await("a worker to take the job", func() bool {
		found, _, _ := e.ask(http.MethodGet, "/jobs/"+job)
		worker, _ = strconv.Atoi(fmt.Sprint(found["pid"]))
		return worker != 0
	})
	return job, worker
}

// ofRedis asks Redis itself.
func (e *engine) ofRedis(words ...string) string {
	e.t.Helper()
	out, err := exec.CommandContext(e.t.Context(), "redis-cli", append([]string{"-p", strconv.Itoa(e.redisPort)}, words...)...).CombinedOutput()
	if err != nil {
		e.t.Fatalf("redis-cli %q: %v: %s", words, err, out)
	}
	return string(out)
}

// jobs are all that Redis knows of: how often each was begun, and whether it is done.
func (e *engine) jobs() (runs map[string]int, open int) {
	e.t.Helper()
	const script = `local r = {} for _, k in ipairs(redis.call('keys', 'job:*')) do
local j = redis.call('hmget', k, 'status', 'runs') r[#r+1] = k .. ' ' .. (j[2] or 0) .. ' ' .. (j[1] or 'open') end return r`
	out := e.ofRedis("eval", script, "0")
	runs = map[string]int{}
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			e.t.Fatalf("redis-cli says %q", out)
		}
		runs[strings.TrimPrefix(fields[0], "job:")], _ = strconv.Atoi(fields[1])
		if fields[2] != "complete" {
			open++
		}
	}
	return runs, open
}

// variables: the keys arrive as they were written, and count.
func (e *engine) variables(t *testing.T) {
	for _, pool := range []string{"queue", "api"} {
		for _, pid := range e.status().named(pool).pids() {
			if !strings.Contains(read(t, fmt.Sprintf("/proc/%d/environ", pid)), "\x00API_KEYS="+engineKeys+"\x00") {
				t.Errorf("a worker of %s has other keys", pool)
			}
		}
	}
	if body, status, err := e.ask(http.MethodGet, "/models"); err != nil || status != http.StatusOK {
		t.Errorf("the second key: %d, %v: %v", status, err, body)
	}
	if text := e.must("status", "--output", "json") + read(t, e.log); strings.Contains(text, "tenant_a") {
		t.Error("the keys are shown")
	}
}

// killed kills a queue worker with a job in hand, which somebody else has to do again.
func (e *engine) killed(t *testing.T) (lost string) {
	lost, worker := e.submit()
	if err := syscall.Kill(worker, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	e.await("its death", func() bool { return len(e.said("worker died")) == 1 })
	e.ofRedis("del", "in-progress:"+lost) // it would be held for job_timeout and ten seconds more
	return lost
}

// rolled replaces both pools under load: every request is answered, and every job is done, once.
func (e *engine) rolled(t *testing.T, lost string) {
	e.await("the successor of the killed", e.whole)
	before := e.status()
	var requests, jobs counted
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	defer clients.Wait()
	defer cancel()
	for n := range 4 {
		clients.Go(func() { // each with a slow request under way, all the time
			for ctx.Err() == nil {
				requests.add(e.ask(http.MethodPost, "/predict?model=heavy_model:v1"))
			}
		})
		if n > 1 {
			continue
		}
		clients.Go(func() {
			for tick := time.NewTicker(50 * time.Millisecond); ; {
				for model := range 10 { // one of ten is slow
					name := "fast_model:v1"
					if model == 0 {
						name = "heavy_model:v1"
					}
					jobs.add(e.ask(http.MethodPost, "/jobs?model="+name))
					select {
					case <-tick.C:
					case <-ctx.Done():
						tick.Stop()
						return
					}
				}
			}
		})
	}
	e.await("some traffic", func() bool { return requests.ok() >= 4 && jobs.ok() >= 10 })
	e.must("roll", "--wait")
	cancel()
	clients.Wait()
	e.await("the new workers alone", e.whole)
	for _, was := range before.Pools {
		for _, pid := range was.pids() {
			if end := e.died(pid); end.Exit != "exit 0" {
				t.Errorf("a worker of %s ended like this: %+v", was.Name, end)
			}
			if slices.Contains(e.status().named(was.Name).pids(), pid) {
				t.Errorf("a worker of %s was not replaced", was.Name)
			}
		}
	}
	var runs map[string]int
	e.await("all jobs to be done", func() (done bool) {
		var open int
		runs, open = e.jobs()
		return open == 0
	})
	if len(requests.bad)+len(jobs.bad) > 0 || len(runs) != jobs.ok()+1 {
		t.Errorf("%d jobs of %d; these failed: %q, %q", len(runs), jobs.ok()+1, requests.bad, jobs.bad)
	}
	for job, times := range runs {
		if want := map[bool]int{true: 2, false: 1}[job == lost]; times != want {
			t.Errorf("a job was done %d times, want %d", times, want)
		}
	}
	t.Logf("a rollout of both pools: %d of %d slow requests failed, and %d of %d jobs were not taken", len(requests.bad), requests.ok(), len(jobs.bad), len(runs)-1)
}

// counted are the answers to many requests.
type counted struct {
	mu   sync.Mutex
	good int
	bad  []string
}

func (c *counted) add(body map[string]any, status int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && (status == http.StatusOK || status == http.StatusAccepted) {
		c.good++
	} else {
		c.bad = append(c.bad, fmt.Sprintf("%d, %v: %v", status, err, body))
	}
}

func (c *counted) ok() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.good
}

// outage: without Redis the queue workers end, refuse to start, and do not spin; the API
// serves what needs no queue, and nothing is rolled. All of it is said, and is over with it.
func (e *engine) outage(t *testing.T) {
	deaths, begin := len(e.said("worker died")), time.Now()
	e.redis.end()
	missing := "tcp://" + address(e.redisPort)
	e.await("both to be in back-off, and the loss to be named", func() bool {
		p := e.status().named("queue")
		return len(p.Unmet) == 1 && strings.Contains(p.Unmet[0], missing) && len(e.said("worker died")) >= deaths+4
	})
	top, _, _ := strings.Cut(e.must("status"), "\n\n")
	if !strings.Contains(top, "pool queue: 0 of 2 ready") || !strings.Contains(top, "missing: "+missing) || !strings.Contains(top, "REDIS_URL is set, but") {
		t.Errorf("the status begins with:\n%s", top)
	}
	if _, status, err := e.ask(http.MethodPost, "/jobs?model=fast_model:v1"); err != nil || status != http.StatusServiceUnavailable {
		t.Errorf("a job without a queue: %d, %v", status, err)
	}
	if _, status, err := e.ask(http.MethodPost, "/predict?model=fast_model:v1"); err != nil || status != http.StatusOK {
		t.Errorf("without Redis the API says %d, %v", status, err)
	}
	verdict := e.begins("roll", "--pool", "api") // it waits for what is missing
	api := e.status().named("api")
	if err := syscall.Kill(api.Workers[2].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	e.await("its successor to be refused", func() bool {
		p := e.status().named("api")
		return p.Restarts >= api.Restarts+2 && p.Ready == 2 && len(p.Unmet) == 1
	})
	if said, code := verdict(); code != 1 || !strings.Contains(said, missing) {
		t.Errorf("a rollout without Redis: %d: %s", code, said)
	}
	// Three slots begin at once, after 0.5 s, and from then on after 1 s here.
	if n, took := len(e.said("worker died"))-deaths, time.Since(begin); n > 9+3*int(took/time.Second) {
		t.Errorf("%d deaths in %s", n, took)
	}
	e.redis = redisServer(t, e.redisPort)
	e.await("all to be back", func() bool {
		return e.whole() && !slices.ContainsFunc(e.status().Pools, func(p pool) bool { return len(p.Unmet) > 0 })
	})
}

// nginx is in front as the snippet says: requests have a name, and some are for those inside.
func (e *engine) nginx(t *testing.T) {
	dir, port := site(t), freePort(t)
	snippet := example(t, "inference-engine/inference-engine.nginx.conf", dir, "listen 80;", fmt.Sprintf("listen 127.0.0.1:%d;", port), "127.0.0.1:8000", address(e.port))
	path := filepath.Join(dir, "nginx.conf")
	write(t, path, fmt.Sprintf("daemon off; master_process off; pid %[1]s/pid; error_log stderr notice; events {}\nhttp { access_log off; include %[2]s;\n"+
		"client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e; }\n", dir, snippet))
	serve(t, "using the \"epoll\"", nil, nginxBin(), "-e", "stderr", "-c", path)
	for _, c := range []struct {
		path, from string
		status     int
	}{
		{"/debug/models", "127.0.0.1", http.StatusOK},
		{"/metrics", "127.0.0.1", http.StatusOK},
		{"/metrics", "127.0.0.2", http.StatusForbidden},
		{"/debug/models", "127.0.0.2", http.StatusForbidden},
		{"/models", "127.0.0.2", http.StatusUnauthorized}, // it passes, without a key
	} {
		dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(c.from)}}
		client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}, Timeout: patience}
		response, err := client.Get("http://" + address(port) + c.path)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != c.status || c.status != http.StatusForbidden && len(response.Header.Get("X-Request-ID")) != 32 {
			t.Errorf("%s from %s: %d, %v", c.path, c.from, response.StatusCode, response.Header)
		}
	}
}

// stopped: the API ends first and the queue after it. Who has a slow one in hand holds up no other of its pool, and ends it.
func (e *engine) stopped(t *testing.T) {
	const begins = "heavy_model:v1 begins"
	for _, program := range []string{"api", "queue"} {
		touch(t, filepath.Join(e.hold, program))
	}
	job, busy := e.submit()
	before, slow := e.status(), strings.Count(read(t, e.log), begins)
	answer := make(chan error, 1)
	go func() { // bounded by the client
		_, status, err := e.ask(http.MethodPost, "/predict?model=heavy_model:v1")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("status %d", status)
		}
		answer <- err
	}()
	e.awaitOutput(begins, slow+1)
	begin, old := time.Now(), len(e.said("worker died"))
	verdict := e.begins("stop")
	left := func(pool string, n int) (took time.Duration) {
		t.Helper()
		var dead []int
		e.await(fmt.Sprintf("the end of %d in %s", n, pool), func() bool {
			dead = nil
			for _, l := range e.said("worker died")[old:] {
				dead, took = append(dead, l.PID), l.Time.Sub(begin)
			}
			return len(dead) >= n
		})
		old += n
		for _, pid := range dead {
			if !slices.Contains(before.named(pool).pids(), pid) || pid == busy {
				t.Errorf("%d of %v ended too early", pid, dead)
			}
		}
		return took
	}
	idle := left("api", 2)
	if told := e.said("worker told to leave"); slices.ContainsFunc(told, func(l logLine) bool { return slices.Contains(before.named("queue").pids(), l.PID) }) {
		t.Error("the queue was told to leave while there was an API")
	}
	os.Remove(filepath.Join(e.hold, "api"))
	if err := <-answer; err != nil {
		t.Errorf("the slow request: %v", err)
	}
	left("api", 1)
	queue := left("queue", 1)
	os.Remove(filepath.Join(e.hold, "queue"))
	if said, code := verdict(); code != 0 || e.code() != 0 {
		t.Errorf("the stop: %d, %s", code, said)
	}
	if runs, open := e.jobs(); open != 0 || runs[job] != 1 {
		t.Errorf("the job was begun %d times, %d are left", runs[job], open)
	}
	t.Logf("a stop: who had nothing in hand had left the API after %s, and the queue after %s, which waits for the API", idle, queue)
}

// TestExampleInferenceReadme: the commands of the page make a service that serves, and is reloaded.
func TestExampleInferenceReadme(t *testing.T) {
	t.Parallel()
	testhost.Need(t, testhost.Root, testhost.Program("curl"), testhost.Program("uvicorn"), testhost.Program("redis-server"), postgresIsThere,
		testhost.Succeeds("/usr/bin/python3", "-c", "import fastapi, redis.asyncio, asyncpg"))
	m, said := readme(t, "inference-engine", func(m *machine) {
		source := filepath.Join(exampleDir("inference-engine"), "stand-in")
		for _, file := range []string{"app/engine.py", "app/adapters/http/app.py", "app/infra/queue/worker.py"} {
			m.copy(filepath.Join(source, file), filepath.Join("/opt/inference-engine", file))
		}
		m.copy(filepath.Join(source, "arq"), "/usr/local/bin/arq")
		example(t, "inference-engine/brood.toml", m.Path("/root"), "_timeout = \"2m\"", "_timeout = \"2m\"\nsettle = \"200ms\"")
		m.Install("/etc/systemd/system/inference-engine.service.d/test.conf", 0o644, []byte("[Service]\nEnvironment=STAND_IN_LOAD=0.1\n"))
		m.Unit("redis-here.service", "[Service]\nExecStart=redis-server --bind 127.0.0.1 --save '' --appendonly no --dir /\n")
		m.Unit("postgres-here.service", `[Service]
User=nobody
RuntimeDirectory=data
ExecStartPre=`+postgresBin+`initdb -D /run/data/pg -U user -A trust --no-locale -E UTF8 -N
ExecStartPre=sh -c 'echo CREATE DATABASE inference | `+postgresBin+`postgres --single -D /run/data/pg postgres'
ExecStart=`+postgresBin+`postgres -D /run/data/pg -F -c listen_addresses=127.0.0.1 -c unix_socket_directories=
`)
		m.ctl("start", "redis-here.service", "postgres-here.service")
	})
	if !strings.Contains(said, "2/2 ready") || !strings.Contains(said, "4/4 ready") || !strings.Contains(said, "inference_requests_total") {
		t.Errorf("they say:\n%s", said)
	}
	m.ctl("stop", m.unit)
	if state, result := m.show("ActiveState"), m.show("Result"); state != "inactive" || result != "success" {
		t.Errorf("after the stop it is %s, %s\n%s", state, result, m.journal())
	}
}
