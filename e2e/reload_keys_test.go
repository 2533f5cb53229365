//go:build e2e

package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/testhost"
)

// everyKey is a brood with Node and gunicorn side by side under load, whose keys
// change one after the other.
type everyKey struct {
	*managed
	dir      string
	web, api int // ports
	loads    []traffic
}

// TestReloadOfEachKey: every kind of key changes while requests run. Nothing fails,
// and what did not change is not touched.
func TestReloadOfEachKey(t *testing.T) {
	t.Parallel()
	testhost.Need(t, testhost.Root, testhost.Program("node"), testhost.Program("gunicorn"))
	ports := freePorts(t, 3)
	e := &everyKey{dir: site(t), web: ports[0], api: ports[1]}
	for _, name := range []string{"env", "secret", "key"} {
		write(t, e.file(name), "A=old\n")
	}
	e.managed = manage(t, e.dir, both(
		together(nodePool("web", e.dir, e.web), gunicornPool("api", e.dir, e.api), sleepers("idle", 1)),
		"env_file", list("env"), "credentials.TOKEN", word(e.file("secret")), "credentials.KEY", word("path:"+e.file("key")),
	))
	e.loads = []traffic{lightTraffic(t, e.web), lightTraffic(t, e.api)}
	e.whatIsRun(t)
	e.places(t)
	e.numbers(t)
	e.policies(t)
	e.listeners(t, ports[2])
	for _, load := range e.loads {
		load.flawless(t)
	}
	e.stop()
}

func (e *everyKey) file(name string) string { return filepath.Join(e.dir, name) }

// both sets keys of both pools under load.
func both(k keys, pairs ...string) keys {
	for i := 0; i < len(pairs); i += 2 {
		k = k.with("pool.web."+pairs[i], pairs[i+1], "pool.api."+pairs[i], pairs[i+1])
	}
	return k
}

// change reloads as a story of its own. Each worker of both pools is then looked at.
func (e *everyKey) change(t *testing.T, name string, k keys, actions string, look func(found) bool) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		e.t = t
		e.becomes(k, parseActions(actions))
		for _, name := range []string{"web", "api"} {
			port := map[string]int{"web": e.web, "api": e.api}[name]
			for slot := range e.status().named(name).Desired {
				if f := ask(t, port, slot); look != nil && !look(f) {
					t.Errorf("a worker of %s found %+v", name, f)
				}
			}
		}
	})
	e.t = t
	if t.Failed() {
		t.FailNow()
	}
}

// parseActions reads "web rolled, api rolled"; "rolled" is for both.
func parseActions(text string) map[string]string {
	all := map[string]string{}
	for part := range strings.SplitSeq(text, ", ") {
		name, action, one := strings.Cut(part, " ")
		switch {
		case one:
			all[name] = action
		case name != "":
			all["web"], all["api"] = name, name
		}
	}
	return all
}

// finds looks for a variable.
func finds(name, value string) func(found) bool {
	return func(f found) bool {
		got, ok := f.Env[name]
		return ok && got == value
	}
}

// whatIsRun changes the command and its environment.
func (e *everyKey) whatIsRun(t *testing.T) {
	k := e.keys.with(
		"pool.web.command", list("node", e.file("other.js")),
		"pool.api.command", strings.Replace(e.keys["pool.api.command"], "facts:app", "other:app", 1),
	)
	e.change(t, "command", k, "rolled", func(f found) bool { return strings.Contains(strings.Join(f.Argv, " "), "other") })

	k = both(k, "env.LISTS", `"a:b,c;d"`, "env.EMPTY", `""`)
	e.change(t, "env", k, "rolled", func(f found) bool { return finds("LISTS", "a:b,c;d")(f) && finds("EMPTY", "")(f) })
	e.change(t, "env of one pool", k.with("pool.api.env.ONE", `"1"`), "api rolled", nil)
	e.change(t, "env of the idle pool", e.keys.with("pool.idle.env.ONE", `"1"`), "idle rolled", nil)

	write(t, e.file("env"), "A=new\n")
	e.change(t, "content of env_file", e.keys, "rolled", finds("A", "new"))
	write(t, e.file("secret"), "A=newer\n")
	e.change(t, "content of a credential", e.keys, "rolled", finds("TOKEN", "A=newer"))
	write(t, e.file("key"), "A=newest\n")
	e.change(t, "content of a credential by path", e.keys, "rolled", finds("KEY", e.file("key")))
}

// places changes who and where a worker is.
func (e *everyKey) places(t *testing.T) {
	id := strconv.Itoa(nobody)
	e.change(t, "dir, user, group, groups", both(e.keys, "dir", word(e.dir), "user", word(id), "group", word(id), "groups", list(id)),
		"rolled", func(f found) bool { return f.Dir == e.dir && f.UID == nobody && f.GID == nobody })
	e.change(t, "umask, limits.nofile", both(e.keys, "umask", `"0037"`, "limits.nofile", "4321"),
		"rolled", func(f found) bool { return f.Umask == "37" && f.NoFile == 4321 })
	e.change(t, "worker_ids, worker_id_env, fds_env", e.keys.with(
		"pool.web.worker_ids", `"100-109"`, "pool.web.worker_id_env", list("NODE_ID"), "pool.web.fds_env", list("APP_FDS"),
		"pool.api.worker_ids", `"200-209"`, "pool.api.worker_id_env", list("NODE_ID"), "pool.api.fds_env", list("APP_FDS"),
	), "rolled", func(f found) bool {
		id, err := strconv.Atoi(f.Env["NODE_ID"])
		return err == nil && id >= 100 && id < 210 && f.Env["APP_FDS"] == f.Env["BROOD_FDS"]
	})
	e.change(t, "log.mode, orphans", both(e.keys, "log.mode", `"prefix"`, "orphans", `"term"`), "rolled", nil)
}

// numbers changes how many workers there are.
func (e *everyKey) numbers(t *testing.T) {
	for _, n := range []string{"3", "1", "2"} {
		e.change(t, "workers "+n, both(e.keys, "workers", n), "scaled", nil)
	}
	k := together(e.keys, sleepers("late", 2))
	e.change(t, "a pool that comes", k, "late added", nil)
	e.change(t, "a pool that scales", k.with("pool.late.workers", "4"), "late scaled", nil)
	e.change(t, "a pool that goes", e.keys.without("pool.late"), "late removed", nil)
}

// policies changes what concerns later events alone, and then has both pools rolled
// with all of it.
func (e *everyKey) policies(t *testing.T) {
	marks := e.file("marks")
	write(t, marks, "")
	if err := os.Chmod(marks, 0o666); err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		name, actions string
		keys          []string
	}{
		{"ready", "adjusted", []string{"ready", `"http:/"`}},
		{"stop", "adjusted", []string{"stop.grace", `"20s"`, "stop.delay", `"100ms"`}},
		{"restart", "adjusted", []string{
			"restart.policy", `"on-failure"`, "restart.backoff", `"1s"`, "restart.max_backoff", `"5s"`,
			"restart.give_up_after", "7", "restart.clean_exits", "[143]",
		}},
		{"rollout", "adjusted", []string{
			"rollout.max_surge", `"50%"`, "rollout.max_unavailable", "1", "rollout.ready_timeout", `"50s"`,
			"rollout.min_ready", `"100ms"`, "rollout.canary", `"300ms"`, "rollout.settle", `"250ms"`,
		}},
		{"requires", "adjusted", []string{"requires", list("file:"+marks, "env:LISTS", "exec:true"), "requires_timeout", `"2s"`}},
		{"pre_start", "adjusted", []string{"pre_start", list("echo $BROOD_POOL >>" + marks)}},
	}
	for _, s := range steps {
		e.change(t, s.name, both(e.keys, s.keys...), s.actions, nil)
	}
	e.change(t, "after, stop.signal", e.keys.with("pool.api.after", list("web"), "pool.web.stop.signal", `"INT"`), "adjusted", nil)
	if text := read(t, marks); text != "" {
		t.Errorf("pre_start ran though nothing was started: %q", text)
	}
	e.change(t, "a rollout by all of these", both(e.keys, "env.COUNTED", `"SIGUSR2 SIGHUP"`), "rolled", nil)
	if text := read(t, marks); text != "web\napi\n" && text != "api\nweb\n" {
		t.Errorf("pre_start left %q, want a line of each pool", text)
	}

	// The pool with another signal hears of the reload by it.
	e.change(t, "reload, reload_signal, dump_signal", e.keys.with(
		"pool.web.reload", `"signal"`, "pool.web.reload_signal", `"USR2"`, "pool.web.dump_signal", `"USR1"`,
	), "web adjusted", func(f found) bool {
		return len(f.Signals) == 0 || f.Signals["SIGUSR2"] == 1 && f.Signals["SIGHUP"] == 0
	})
	e.change(t, "rollout.order", both(e.keys, "rollout.order", `"stop-first"`), "adjusted", nil)
	e.change(t, "a rollout without overlap", both(e.keys, "env.COUNTED", `"SIGUSR2"`), "rolled", nil)
}

// listeners changes addresses' settings and names, and adds one.
func (e *everyKey) listeners(t *testing.T, extra int) {
	k := e.keys.with("listen.web.steer", `"client-ip"`, "listen.web.backlog", "100", "listen.api.steer", `"cpu"`, "listen.api.backlog", "300")
	e.change(t, "steer, backlog", k, "", nil)
	k = k.with("listen.web.steer", `"random"`, "listen.api.steer", `"random"`, "listen.api.public", "80")
	e.change(t, "steer back, public", k, "", nil)

	k = maps.Clone(e.keys)
	for _, key := range slices.Collect(maps.Keys(k)) {
		if rest, ok := strings.CutPrefix(key, "listen.web."); ok {
			k["listen.front."+rest] = k[key]
			delete(k, key)
		}
	}
	k["pool.web.listen"] = list("front")
	e.change(t, "name of a listener", k, "web rolled", func(f found) bool {
		return strings.HasPrefix(f.Env["BROOD_FDS"], `{"front":`) || strings.HasPrefix(f.Env["BROOD_FDS"], `{"api":`)
	})

	e.change(t, "a pool with a listener that comes", together(e.keys, guestPool("extra", extra, "http", "-notify")), "extra added", nil)
	load := lightTraffic(t, extra)
	e.change(t, "its env", e.keys.with("pool.extra.env.ONE", `"1"`), "extra rolled", nil)
	load.flawless(t)
	e.change(t, "a pool with a listener that goes", e.keys.without("pool.extra", "listen.extra"), "extra removed", nil)
	refused(t, extra)
	// Nothing that a reload applies: it rolls nobody.
	e.change(t, "a setting of the supervisor", e.keys.with("supervisor.log_level", `"debug"`), "", nil)
}
