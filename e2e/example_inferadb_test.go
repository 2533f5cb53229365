//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/internal/testhost"
)

// inferadb is the example inferadb-control on a machine of its own.
type inferadb struct {
	*managed
	ns     *testhost.NetNS
	home   string // the workers' directory
	ledger func() // ends what stands in for one
	client *http.Client
}

// The example's own words, which are for a machine with the real program.
const (
	controlPort   = "127.0.0.1:9090"
	controlLedger = "127.0.0.1:50051"
	controlPEM    = "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----"
	startTime     = 150 * time.Millisecond // of the stand-in, before it listens, and until /startupz says 200
)

// TestExampleInferadbControl runs the example as it is, but for another user and
// shorter times, behind rules that follow it.
func TestExampleInferadbControl(t *testing.T) {
	current(t, "inferadb-control/brood.toml", map[string][]string{
		"inferadb-control.service": {"units", "--binary", "/usr/local/bin/brood"},
		"inferadb-control.nft":     {"nft"},
	})
	testhost.Need(t, testhost.Root, testhost.Program("nft"), testhost.Program("setpriv"), testhost.Program("flock"))
	c, doubles := startControl(t)
	c.idsAndKeys(t)
	c.logs(t)
	c.readiness(t)
	c.dump(t)
	c.stayingRules(t)
	said := c.follows(c.ns, c.path)
	said.await("slots 0 1 2 3 of 4")
	c.rolled(t)
	c.killed(t, said)
	c.drain(t)
	c.hangs(t)
	c.must("stop")
	if code := c.code(); code != 0 {
		t.Errorf("brood ended with %d", code)
	}
	if text, err := os.ReadFile(doubles); err == nil {
		t.Errorf("these had the id of another one who lived: %s", strings.Fields(string(text)))
	}
}

// exclusive has the stand-in found behind a shell that notes down whoever begins
// with an id while another one has it.
func exclusive(t *testing.T) (found, doubles string) {
	t.Helper()
	program := standIn(t, "real-control", "../examples/inferadb-control/stand-in")
	dir := site(t)
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	doubles = filepath.Join(dir, "doubles")
	write(t, filepath.Join(dir, "inferadb-control"), fmt.Sprintf(`#!/bin/sh
exec 9>%[1]s/$INFERADB__CONTROL__WORKER_ID
flock -n 9 || echo "$INFERADB__CONTROL__WORKER_ID" >>%[2]s
exec real-control "$@"
`, dir, doubles))
	if err := os.Chmod(filepath.Join(dir, "inferadb-control"), 0o755); err != nil {
		t.Fatal(err)
	}
	return foundIn(dir, program), doubles
}

func startControl(t *testing.T) (c *inferadb, doubles string) {
	t.Helper()
	found, doubles := exclusive(t)
	ns, dir := testhost.Wire(t).Server, site(t)
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	path := example(t, "inferadb-control/brood.toml", dir,
		`"inferadb"`, `"nobody"`, "/var/lib/inferadb-control", dir,
		`"2s"`, `"100ms"`, `"5s"`, `"100ms"`, `"60s"`, `"1s"`,
		"workers = 4", "workers = 4\nrollout.settle = \"500ms\"\nrequires_timeout = \"300ms\"",
	)
	c = &inferadb{ns: ns, home: dir, client: &http.Client{Transport: &http.Transport{DialContext: ns.Dial, DisableKeepAlives: true}, Timeout: patience}}

	// Without a key for the tokens, and without the ledger, nothing starts, and both are named.
	launcher := options{
		file: path, launch: unprivileged(ns), uid: nobody, env: []string{found, "STAND_IN_START=" + startTime.String(), "STAND_IN_CACHE=50ms"},
	}
	refused := begin(t, launcher)
	if code := refused.code(); code != 1 {
		t.Errorf("without what it requires brood ended with %d, want 1", code)
	}
	for _, missing := range []string{"INFERADB__CONTROL__PEM", controlLedger} {
		if !strings.Contains(read(t, refused.log), missing) {
			t.Errorf("nothing is said of %s:\n%s", missing, read(t, refused.log))
		}
	}
	write(t, filepath.Join(dir, "secrets.env"), "INFERADB__CONTROL__PEM='"+controlPEM+"'\n")
	c.ledger = accepting(t, ns.Listen("tcp", controlLedger))
	c.managed = &managed{path: path, brood: launch(t, launcher)}
	return c, doubles
}

func (c *inferadb) pool() pool { return c.status().named("control") }

// get asks the worker of a slot, on its own port.
func (c *inferadb) get(t *testing.T, slot int, path string) (body string, status int) {
	t.Helper()
	return fetch(t, c.client, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", 9100+slot, path))
}

// idsAndKeys: each has its own port, id and client id, and all the same key.
func (c *inferadb) idsAndKeys(t *testing.T) {
	var ids []int
	for _, w := range c.pool().Workers {
		text, status := c.get(t, w.Slot, "/healthz")
		var health struct {
			Status  string `json:"status"`
			ID      int    `json:"instance_id"`
			Healthy bool   `json:"ledger_healthy"`
		}
		if err := json.Unmarshal([]byte(text), &health); err != nil || status != http.StatusOK {
			t.Fatalf("slot %d: %d, %v: %s", w.Slot, status, err, text)
		}
		if health.ID != w.WorkerID || health.ID > 1023 || health.Status != "healthy" || !health.Healthy {
			t.Errorf("slot %d has the id %d: %s", w.Slot, w.WorkerID, text)
		}
		ids = append(ids, health.ID)
		environ := read(t, fmt.Sprintf("/proc/%d/environ", w.PID))
		for _, variable := range []string{fmt.Sprintf("LEDGER_CLIENT_ID=control-prod-%02d", health.ID), "PEM=" + controlPEM} {
			if !strings.Contains(environ, "INFERADB__CONTROL__"+variable+"\x00") {
				t.Errorf("slot %d has no %q", w.Slot, variable)
			}
		}
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 4 {
		t.Errorf("ids %v", ids)
	}
	key, err := os.Stat(filepath.Join(c.home, "data", "master.key"))
	if err != nil || key.Size() != 32 || key.Mode().Perm() != 0o600 {
		t.Errorf("the key: %+v, %v", key, err)
	}
	log := read(t, c.log)
	for _, warning := range []string{"new master key", "new signing key", "random worker id"} {
		if strings.Contains(log, warning) {
			t.Errorf("a worker says %q:\n%s", warning, log)
		}
	}
	if strings.Contains(log+c.must("status", "--output", "json")+c.must("logs"), "BEGIN PRIVATE KEY") {
		t.Error("the secret is shown")
	}
}

// logs: all is JSON, and says whose it is. Nobody counted as ready before /startupz did.
func (c *inferadb) logs(t *testing.T) {
	type line struct {
		logLine
		WorkerID *int `json:"worker_id"`
		Log      struct {
			Time time.Time `json:"time"`
			Msg  string    `json:"msg"`
			ID   int       `json:"worker_id"`
		} `json:"log"`
	}
	c.await("the words of four that are ready", func() bool { return strings.Count(read(t, c.log), `"msg":"ready"`) == 4 })
	served, said, counted := 0, map[int]time.Time{}, map[int]time.Time{}
	for text := range strings.Lines(read(t, c.log)) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		switch {
		case l.WorkerID == nil:
		case l.Log.Msg == "listening" && *l.WorkerID == l.Log.ID:
			served++
		case l.Log.Msg == "ready":
			said[*l.WorkerID] = l.Log.Time.Truncate(time.Millisecond) // as brood's own lines
		case l.Message == "worker ready":
			counted[*l.WorkerID] = l.Time
		}
	}
	for id, at := range counted {
		if first := said[id]; first.IsZero() || at.Before(first) {
			t.Errorf("worker %d counted as ready at %s, and said so at %s", id, at, first)
		}
	}
	if served != 4 || len(counted) != 4 {
		t.Errorf("%d workers said that they listen, %d were ready:\n%s", served, len(counted), read(t, c.log))
	}
}

// readiness: without the ledger nobody is ready, and nobody is replaced for it.
func (c *inferadb) readiness(t *testing.T) {
	before := c.pool().pids()
	c.ledger()
	c.await("nobody to be ready", func() bool { return c.pool().Ready == 0 })
	if _, status := c.get(t, 1, "/livez"); status != http.StatusOK {
		t.Errorf("/livez says %d", status)
	}
	c.ledger = accepting(t, c.ns.Listen("tcp", controlLedger))
	c.await("all to be ready", c.whole)
	if after := c.pool().pids(); !slices.Equal(before, after) {
		t.Errorf("%v were replaced by %v", before, after)
	}
}

// dump: USR2 would kill the workers, and reaches none.
func (c *inferadb) dump(t *testing.T) {
	before := c.pool()
	if err := c.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	c.await("brood to keep USR2 to itself", func() bool { return len(c.said("request by signal failed")) == 1 })
	if after := c.pool(); !slices.Equal(before.pids(), after.pids()) {
		t.Errorf("USR2 changed\n%s\nto\n%s", before, after)
	}
}

// load asks as clients do.
func (c *inferadb) load(t *testing.T) *loadgen.Load {
	t.Helper()
	return startLoad(t, controlPort, func(l *loadgen.Config) { l.Dial = c.ns.Dial })
}

// kill kills the worker of a slot.
func (c *inferadb) kill(t *testing.T, slot int) {
	t.Helper()
	if err := syscall.Kill(c.pool().Workers[slot].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// stayingRules: those of the file lead to whoever is on his way out, or gone.
func (c *inferadb) stayingRules(t *testing.T) {
	c.ns.Must("nft", "-f", filepath.Join(exampleDir("inferadb-control"), "inferadb-control.nft"))
	load := c.load(t)
	c.must("roll", "--wait")
	rollout := load.Snapshot()
	for slot := range 2 {
		c.kill(t, slot)
		c.await("a successor", func() bool { return c.pool().Restarts == slot+1 && c.whole() })
	}
	all := load.Stop()
	if rollout.Failed() == 0 || all.Failed() == rollout.Failed() {
		t.Errorf("with rules that stay nothing failed, so nothing is shown by those that follow:\n%s", &all)
	}
	t.Logf("rules that stay: a rollout: %d of %d requests failed; two deaths: %d of %d",
		rollout.Failed(), rollout.Requests(), all.Failed()-rollout.Failed(), all.Requests()-rollout.Requests())
}

// rolled: HUP replaces the workers and reaches none, and rules that follow take a slot
// out before its worker is told to leave.
func (c *inferadb) rolled(t *testing.T) {
	before, deaths, dead := c.pool(), c.causes(), len(c.said("worker died"))
	load := c.load(t)
	if err := c.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	c.await("a rollout", func() bool { p := c.pool(); return p.Generation > before.Generation && p.whole() })
	result := load.Stop()
	if result.Failed() > 0 || len(result.PIDs()) <= 4 {
		t.Errorf("under a rollout:\n%s", &result)
	}
	t.Logf("rules that follow: a rollout: %d of %d requests failed", result.Failed(), result.Requests())
	for _, pid := range c.pool().pids() {
		if slices.Contains(before.pids(), pid) {
			t.Errorf("HUP left %d there", pid)
		}
	}
	if relayed := c.said("signal relayed"); len(relayed) != 0 {
		t.Errorf("these got a signal: %+v", relayed)
	}
	c.awaitSaid("worker died", dead+4)
	if now := c.causes(); now["stopped"] != deaths["stopped"]+4 || len(now) != len(deaths) {
		t.Errorf("deaths before: %v, and after: %v", deaths, now)
	}
}

// killed: whoever is killed is out of the rules at once, although his successor takes a
// while to start. What fails was sent to him within those milliseconds.
func (c *inferadb) killed(t *testing.T, said *followed) {
	load := c.load(t)
	for slot, rest := range []string{"1 2 3", "0 2 3"} {
		said.forget()
		c.kill(t, slot)
		said.await("slots " + rest + " of 4")
		before := load.Snapshot()
		if err := load.Await(t.Context(), 200); err != nil {
			t.Fatal(err)
		}
		if after := load.Snapshot(); after.Failed() > before.Failed()+8 { // those that the clients had under way
			t.Errorf("after the rules had changed %d requests failed:\n%s", after.Failed()-before.Failed(), &after)
		}
		said.await("slots 0 1 2 3 of 4")
	}
	result := load.Stop()
	if result.Failed() > result.Requests()/2 {
		t.Errorf("after two deaths:\n%s", &result)
	}
	t.Logf("rules that follow: two deaths: %d of %d requests failed", result.Failed(), result.Requests())
}

// drain: a request under way ends well, although its worker was told to leave.
func (c *inferadb) drain(t *testing.T) {
	upload := c.upload(t)
	victim := c.pool().Workers[2]
	verdict := c.begins("restart", "control.2")
	c.leaving(victim)
	fmt.Fprint(upload, "!")
	answer, err := io.ReadAll(upload)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200") {
		t.Errorf("%v: %s", err, answer)
	}
	if said, code := verdict(); code != 0 {
		t.Errorf("%d: %s", code, said)
	}
	if end := c.died(victim.PID); end.Exit != "exit 0" {
		t.Errorf("it ended like this: %+v", end)
	}
}

// hangs: a client that never ends its request holds the worker until the grace is over.
func (c *inferadb) hangs(t *testing.T) {
	c.upload(t)
	victim := c.pool().Workers[2]
	if said, code := c.begins("restart", "control.2")(); code != 0 {
		t.Errorf("%d: %s", code, said)
	}
	if end := c.died(victim.PID); end.Cause != "killed_late" {
		t.Errorf("it ended like this: %+v", end)
	}
	c.await("all to be ready", c.whole)
}

// upload begins a request to slot 2 that lacks one byte. Its worker waits for that.
func (c *inferadb) upload(t *testing.T) net.Conn {
	t.Helper()
	conn, err := c.ns.Dial(t.Context(), "tcp", "127.0.0.1:9102")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
	const reads = "HTTP/1.1 100 Continue\r\n\r\n"
	said := make([]byte, len(reads))
	if _, err := io.ReadFull(conn, said); err != nil || string(said) != reads {
		t.Fatalf("%v: %s", err, said)
	}
	return conn
}

// leaving waits until a worker has been told to leave.
func (c *inferadb) leaving(w worker) {
	c.await("a worker to be told to leave", func() bool {
		return slices.ContainsFunc(c.said("worker told to leave"), func(l logLine) bool { return l.PID == w.PID })
	})
}

// TestExampleInferadbIDs: nobody has the id of another who lives, and the highest is
// in use, also where successors overlap with incumbents, all four at once.
func TestExampleInferadbIDs(t *testing.T) {
	t.Parallel()
	testhost.Need(t, testhost.Program("flock"))
	found, doubles := exclusive(t)
	const ids = "pool.control.worker_ids"
	dir := site(t)
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "data", "master.key"), strings.Repeat("k", 32)) // of four that make one, one may find a half
	m := &managed{path: filepath.Join(dir, "brood.toml"), keys: keys{
		"pool.control.dir":               word(dir),
		"pool.control.command":           list("inferadb-control", "--listen", "127.0.0.1:0", "--storage", "memory"),
		"pool.control.workers":           "4",
		"pool.control.worker_id_env":     list("INFERADB__CONTROL__WORKER_ID"),
		ids:                              word("1016-1023"),
		"pool.control.ready":             word("delay:50ms"),
		"pool.control.rollout.max_surge": "4",
	}}
	write(t, m.path, m.keys.String())
	m.brood = launch(t, options{file: m.path, env: []string{found}})
	for range 3 {
		m.must("roll", "--wait")
	}
	m.await("who is on the way out", m.whole)
	for _, w := range m.status().named("control").Workers {
		if w.WorkerID < 1016 || w.WorkerID > 1023 {
			t.Errorf("slot %d has the id %d", w.Slot, w.WorkerID)
		}
	}
	m.awaitSaid("worker died", 12)
	if causes := m.causes(); len(causes) != 1 || causes["stopped"] != 12 {
		t.Errorf("deaths: %v", causes)
	}
	m.stop()
	if text, err := os.ReadFile(doubles); err == nil {
		t.Errorf("these had the id of another one who lived: %s", strings.Fields(string(text)))
	}
}

// TestExampleInferadbReadme: the commands of the page make two services, one of them not
// root's, that serve on the port of the guide and end together.
func TestExampleInferadbReadme(t *testing.T) {
	t.Parallel()
	testhost.Need(t, testhost.Root, testhost.Program("nft"), testhost.Program("openssl"), testhost.Program("curl"))
	program := standIn(t, "inferadb-control", "../examples/inferadb-control/stand-in")
	m, said := readme(t, "inferadb-control", func(m *machine) {
		m.copy(filepath.Join(program, "inferadb-control"), "/usr/local/bin/inferadb-control")
		accepting(t, m.ns.Listen("tcp", controlLedger))
	})
	if !strings.Contains(said, "4/4 ready") || !strings.Contains(said, `"status":"healthy"`) {
		t.Errorf("they say:\n%s", said)
	}
	const nft = "inferadb-control-nft.service"
	if state := m.ctl("show", "-P", "ActiveState", nft); state != "active" {
		t.Errorf("the rules are %s", state)
	}
	m.ctl("stop", m.unit)
	m.await("the end of both", func() bool { return m.ctl("show", "-P", "ActiveState", nft) == "inactive" })
	if state, result := m.show("ActiveState"), m.show("Result"); state != "inactive" || result != "success" {
		t.Errorf("after the stop it is %s, %s\n%s", state, result, m.journal())
	}
}
