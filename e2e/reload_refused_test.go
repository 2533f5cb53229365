//go:build e2e

package e2e

import (
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/testhost"
)

// underLoad is a brood with Node and gunicorn, both under load; end demands that
// nothing failed.
func underLoad(t *testing.T, more ...keys) (m *managed, end func()) {
	t.Helper()
	testhost.Need(t, testhost.Program("node"), testhost.Program("gunicorn"))
	dir, ports := site(t), freePorts(t, 2)
	k := together(append([]keys{nodePool("web", dir, ports[0]), gunicornPool("api", dir, ports[1])}, more...)...)
	m = manage(t, dir, k)
	loads := []traffic{lightTraffic(t, ports[0]), lightTraffic(t, ports[1])}
	return m, func() {
		t.Helper()
		for _, load := range loads {
			if err := load.fresh.Await(t.Context(), 20); err != nil {
				t.Error(err)
			}
			load.flawless(t)
		}
		m.stop()
	}
}

// attempt is a configuration that cannot be had, and what the verdict must say.
type attempt struct {
	keys    keys
	reasons []string
}

// refusesEach tries one after the other.
func (m *managed) refusesEach(t *testing.T, attempts map[string]attempt) {
	for name, a := range attempts {
		t.Run(name, func(t *testing.T) {
			m.t = t
			m.refuses(a.keys, a.reasons...)
			s := m.status()
			if s.Config.Reload == nil || s.Config.Reload.State != "failed" || s.Config.Reload.Error == "" {
				t.Errorf("the status says %+v of the reload", s.Config.Reload)
			}
		})
		m.t = t
	}
	if s := m.status(); s.Config.Failures != len(attempts) || s.Config.Reloads != 0 {
		t.Errorf("the status counts %d failures and %d reloads, want %d and none", s.Config.Failures, s.Config.Reloads, len(attempts))
	}
}

// TestBrokenFiles: a file with a mistake changes nothing, and the command says
// where the mistake is.
func TestBrokenFiles(t *testing.T) {
	t.Parallel()
	m, end := underLoad(t)
	k := m.keys
	m.refusesEach(t, map[string]attempt{
		"not TOML":            {k.with("pool.web.env", "{"), []string{m.path + ":"}},
		"nothing in it":       {keys{}, []string{m.path, "pool"}},
		"unknown key":         {k.with("pool.web.comand", "1"), []string{m.path + ":", "unknown key", "did you mean", `"command"`}},
		"wrong type":          {k.with("pool.web.env.N", "1"), []string{m.path + ":", "pool.web.env.N"}},
		"unknown listener":    {k.with("pool.web.listen", list("wep")), []string{`no listener "wep"`, "did you mean"}},
		"too few ids":         {k.with("pool.web.worker_ids", `"1-2"`), []string{"worker_ids", "room"}},
		"a template of none":  {k.with("pool.web.env.N", `"{{.Solt}}"`), []string{`no value "Solt"`, "did you mean"}},
		"no env_file":         {k.with("pool.web.env_file", list("gone")), []string{"gone"}},
		"no credential":       {k.with("pool.web.credentials.N", `"/nowhere/secret"`), []string{"/nowhere/secret"}},
		"no such user":        {k.with("pool.web.user", `"nobody-here"`), []string{"nobody-here"}},
		"two on one listener": {k.with("pool.api.listen", list("web")), []string{"web", "api"}},
		"grace too long":      {k.with("supervisor.stop_timeout", `"5s"`), []string{"grace", "stop_timeout"}},
		"a mode that changes": {k.with("listen.web.mode", `"shared"`), []string{"mode", "web"}},
		"several mistakes":    {k.with("pool.web.umask", `"9"`, "pool.api.workers", "0"), []string{"umask", "workers", "2 mistakes"}},
	})
	end()
}

// diesAfterReady says READY=1 and dies a moment later. Of the one and of the other brood hears in two ways.
const diesAfterReady = `import os, socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect("\0" + os.environ["NOTIFY_SOCKET"][1:])
s.send(b"READY=1")
time.sleep(0.1)
sys.exit("cannot go on")
`

// TestBrokenPrograms: programs that do not come up leave the old ones serving.
func TestBrokenPrograms(t *testing.T) {
	t.Parallel()
	m, end := underLoad(t)
	taken, err := net.Listen("tcp", address(freePort(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := filepath.Dir(m.path)
	write(t, filepath.Join(dir, "broken.py"), "raise RuntimeError('no-database')\n")
	lazy := m.keys.with("pool.web.command", list(guestBin(), "testguest", "never-ready", "-stderr", "no-database"), "pool.web.rollout.ready_timeout", `"1s"`)
	dying := m.keys.with("pool.web.command", list("/usr/bin/python3", "-c", diesAfterReady), "pool.web.ready", `"notify"`, "pool.web.rollout.settle", `"10s"`)
	port := strconv.Itoa(taken.Addr().(*net.TCPAddr).Port)
	m.refusesEach(t, map[string]attempt{
		"exits with 3": {
			m.keys.with("pool.web.command", list("sh", "-c", "echo no-database >&2; exit 3")), []string{"exit 3", "no-database", "worker web."},
		},
		"is never ready":         {lazy.with("pool.web.ready", `"notify"`), []string{"not ready within 1s", "no-database"}},
		"is never seen to serve": {lazy, []string{"not ready within 1s", "no-database"}},
		"dies after READY":       {dying, []string{"after it was ready", "cannot go on"}},
		"dies in its proof":      {dying.with("pool.web.rollout.min_ready", `"5s"`), []string{"after it was ready", "cannot go on"}},
		// It says READY=1 before it knows.
		"gunicorn that cannot import": {
			m.keys.with(
				"pool.api.command", strings.Replace(m.keys["pool.api.command"], "facts:app", "broken:app", 1), "pool.api.rollout.min_ready", `"10s"`,
			), []string{"exit 3", "no-database"},
		},
		"is not there":   {m.keys.with("pool.web.command", list(filepath.Join(dir, "gone"))), []string{"gone", "no such file"}},
		"may not be run": {m.keys.with("pool.web.command", list(filepath.Join(dir, "facts.js"))), []string{"facts.js", "permission denied"}},
		"pre_start fails": {
			m.keys.with("pool.web.env.N", `"1"`, "pool.web.pre_start", list("true", "echo no-migration >&2; exit 4")),
			[]string{"pre_start", "exit 4", "no-migration", "pool web"},
		},
		"requirement unmet": {
			m.keys.with("pool.web.env.N", `"1"`, "pool.web.requires", list("tcp://127.0.0.1:1", "file:/nowhere"), "pool.web.requires_timeout", `"1s"`),
			[]string{"127.0.0.1:1", "/nowhere", "pool web"},
		},
		"port taken": {
			together(m.keys, guestPool("extra", taken.Addr().(*net.TCPAddr).Port, "http")), []string{port, "in use"},
		},
		"a new pool that dies": {together(m.keys, keys{"pool.extra.command": list("sh", "-c", "echo no-queue >&2; exit 5"), "pool.extra.workers": "2"}), []string{"exit 5", "no-queue"}},
		"a new pool that cannot start": {
			together(m.keys, sleepers("extra", 1), keys{"pool.extra.pre_start": list("exit 6")}), []string{"exit 6", "pool extra"},
		},
	})
	end()
}
