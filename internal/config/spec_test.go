package config

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// keyCase is one line of a file, in a table, and what comes of it.
type keyCase struct {
	line string
	want any    // what get returns; nil if the line is wrong
	bad  string // a part of the message
}

const (
	poolHead     = "[pool.web]\ncommand = [\"server\"]\n"
	listenerHead = "[pool.web]\ncommand = [\"server\"]\nlisten = [\"x\"]\n[listen.x]\n"
)

// run reads head and line.
func (c keyCase) run(t *testing.T, head string, get func(*Config) any) {
	t.Helper()
	cfg, err := read(head+c.line+"\n", brokenWorld())
	switch {
	case c.want == nil && err == nil:
		t.Errorf("%s: %+v, want an error", c.line, get(cfg))
	case c.want == nil:
		if !strings.Contains(err.Error(), c.bad) {
			t.Errorf("%s: %v\nwant: %s", c.line, err, c.bad)
		}
		if strings.Count(err.Error(), "brood.toml:") != 1 {
			t.Errorf("%s: one mistake is one problem, not:\n%v", c.line, err)
		}
	case err != nil:
		t.Errorf("%s: %v", c.line, err)
	default:
		if diff := cmp.Diff(c.want, get(cfg)); diff != "" {
			t.Errorf("%s (- wanted, + got):\n%s", c.line, diff)
		}
	}
}

func read(text string, w World) (*Config, error) {
	f, err := Parse("brood.toml", []byte(text))
	if err != nil {
		return nil, err
	}
	return FromFile(f, w)
}

// keys runs cases that differ in one value of a key: good ones with their outcome, and bad ones.
func keys(t *testing.T, head, key string, get func(*Config) any, good map[string]any, bad string, wrong ...string) {
	t.Helper()
	t.Run(key, func(t *testing.T) {
		for value, want := range good {
			keyCase{line: key + " = " + value, want: want}.run(t, head, get)
		}
		for _, value := range wrong {
			keyCase{line: key + " = " + value, bad: bad}.run(t, head, get)
		}
	})
}

func spec(get func(machine.Spec) any) func(*Config) any {
	return func(c *Config) any { return get(c.Pools[0].Spec) }
}

func pool(get func(Pool) any) func(*Config) any {
	return func(c *Config) any { return get(c.Pools[0]) }
}

func TestWorkersAndIDs(t *testing.T) {
	keys(t, poolHead, "workers", spec(func(s machine.Spec) any { return s.Workers }), map[string]any{
		`4`: 4, `"4"`: 4, `"cpus"`: 4, `"2*cpus+1"`: 9, `" 2 * cpus + 1"`: 9, `"1+cpus*2"`: 9, `10000`: 10000, `0x10`: 16,
	}, "it is a number from 1 to 10000", `0`, `-1`, `"cpu"`, `"cpus-1"`, `"4.5"`, `10001`, `"100*101"`, `"9999+2"`, `"1e3"`, `"*"`, `"+"`, `"2**3"`, `"+4"`)
	keys(t, poolHead, "workers", spec(nil), nil, "workers is", `""`, `4.5`, `true`, `[4]`, `2026-01-01`)
	ids := spec(func(s machine.Spec) any { return fmt.Sprint(s.FirstID, s.LastID) })
	keys(t, poolHead, "worker_ids", ids, map[string]any{`"0-1023"`: "0 1023", `"7-11"`: "7 11"}, "FIRST-LAST",
		`"5"`, `"5-"`, `"-5"`, `"9-3"`, `"a-b"`, `"0-99999999999"`, `"0-+5"`)
	keys(t, poolHead, "worker_ids", ids, nil, "has room for 4, but 4 workers and a surge of 1", `"0-3"`)
	if c, err := read(poolHead, brokenWorld()); err != nil || ids(c) != "0 2147483647" {
		t.Errorf("worker ids by default: %v, %v", c, err)
	}
}

func TestDurations(t *testing.T) {
	for key, get := range map[string]func(machine.Spec) any{
		"stop.grace":            func(s machine.Spec) any { return s.Grace },
		"stop.delay":            func(s machine.Spec) any { return s.StopDelay },
		"rollout.ready_timeout": func(s machine.Spec) any { return s.ReadyTimeout },
		"rollout.min_ready":     func(s machine.Spec) any { return s.MinReady },
		"rollout.canary":        func(s machine.Spec) any { return s.Canary },
		"rollout.settle":        func(s machine.Spec) any { return s.Settle },
		"restart.backoff":       func(s machine.Spec) any { return s.Backoff.Base },
		"restart.max_backoff":   func(s machine.Spec) any { return s.Backoff.Max },
	} {
		good := map[string]any{`"1m30s"`: 90 * time.Second, `"500ms"`: 500 * time.Millisecond, `"1.5s"`: 1500 * time.Millisecond}
		keys(t, poolHead, key, spec(get), good, "a duration", `""`, `30`, `3.5`, `"30"`, `"1d"`, `"-1s"`, `"30 s"`, `"soon"`)
		keys(t, poolHead, key, spec(get), nil, "is a string", `true`, `["1s"]`, `{s = 1}`)
	}
	keys(t, poolHead, "stop.grace", spec(func(s machine.Spec) any { return s.Grace }), map[string]any{`"0"`: time.Duration(0), `"0s"`: time.Duration(0)}, "")
	keys(t, poolHead, "requires_timeout", pool(func(p Pool) any { return p.RequiresTimeout }), map[string]any{`"2s"`: 2 * time.Second}, "a duration", `5`)
	keys(t, poolHead+"[supervisor]\n", "stop_timeout", func(c *Config) any { return c.StopTimeout }, map[string]any{`"90s"`: 90 * time.Second}, "stop_timeout", `"0s"`, `90`, `"20s"`)
	keys(t, poolHead+"restart.backoff = \"2s\"\n", "restart.max_backoff", spec(nil), nil, "max_backoff (1s) is below backoff (2s)", `"1s"`)
}

func TestRollout(t *testing.T) {
	surge := spec(func(s machine.Spec) any { return fmt.Sprint(s.MaxSurge, s.SurgePercent) })
	keys(t, poolHead, "rollout.max_surge", surge, map[string]any{`1`: "1 0", `"2"`: "2 0", `"25%"`: "0 25", `"1000%"`: "0 1000"},
		"max_surge", `0`, `-1`, `"0%"`, `"-5%"`, `"%"`, `"1001%"`, `10001`, `"a"`, `1.5`, `true`, `""`)
	short := spec(func(s machine.Spec) any { return fmt.Sprint(s.MaxUnavailable, s.UnavailablePercent) })
	keys(t, poolHead, "rollout.max_unavailable", short, map[string]any{`0`: "0 0", `3`: "3 0", `"100%"`: "0 100"}, "max_unavailable", `-1`, `"101%"`, `"x"`)
	order := spec(func(s machine.Spec) any { return fmt.Sprint(int(s.Order), s.MaxUnavailable) })
	keys(t, poolHead, "rollout.order", order, map[string]any{`"start-first"`: "0 0", `"stop-first"`: "1 1"}, "it is one of start-first, stop-first", `"both"`, `"Start-First"`)
	keys(t, poolHead, "rollout", order, nil, "no room for stop-first", `{order = "stop-first", max_unavailable = 0}`)
}

func TestPolicies(t *testing.T) {
	keys(t, poolHead, "reload", spec(func(s machine.Spec) any { return s.Reload }),
		map[string]any{`"auto"`: machine.ReloadAuto, `"signal"`: machine.ReloadSignal, `"roll"`: machine.ReloadRoll}, "it is one of auto, roll, signal", `"hup"`)
	keys(t, poolHead, "restart.policy", spec(func(s machine.Spec) any { return s.Restart }),
		map[string]any{`"always"`: machine.RestartAlways, `"on-failure"`: machine.RestartOnFailure, `"never"`: machine.RestartNever}, "it is one of", `"no"`)
	keys(t, poolHead, "restart.give_up_after", spec(func(s machine.Spec) any { return s.Backoff.GiveUpAfter }), map[string]any{`0`: 0, `5`: 5}, "give_up_after", `-1`, `"5"`)
	exits := pool(func(p Pool) any { return p.Clean })
	keys(t, poolHead, "restart.clean_exits", exits, map[string]any{
		`[143, "TERM"]`: worker.ExitSet{Codes: []int{143}, Signals: []syscall.Signal{15}}, `["3", "sigkill"]`: worker.ExitSet{Codes: []int{3}, Signals: []syscall.Signal{9}},
	}, "clean_exits", `[0]`, `[256]`, `["NOPE"]`, `143`, `[1.5]`)
	keys(t, poolHead, "orphans", pool(func(p Pool) any { return p.Orphans }),
		map[string]any{`"kill"`: worker.OrphanKill, `"term"`: worker.OrphanTerm, `"keep"`: worker.OrphanKeep}, "it is one of keep, kill, term", `"reap"`)
	keys(t, poolHead, "log.mode", pool(func(p Pool) any { return p.Log.Mode }),
		map[string]any{`"auto"`: "auto", `"prefix"`: "prefix", `"tail"`: "tail", `"inherit"`: "inherit", `"json"`: "json", `"journald"`: "journald"}, "it is one of", `"syslog"`)
	keys(t, poolHead+"orphans = \"keep\"\n", "log.mode", pool(func(p Pool) any { return p.Log.Mode }),
		map[string]any{`"inherit"`: "inherit"}, "they would die of the broken pipe", `"prefix"`, `"tail"`, `"json"`)
	logs := func(get func(plan.Log) any) func(*Config) any { return pool(func(p Pool) any { return get(p.Log) }) }
	head := poolHead + "log.file = \"/l/{{.Pool}}.{{.Slot}}.log\"\n"
	keys(t, poolHead, "log.file", logs(func(l plan.Log) any { return l.Mode + " " + l.File }), map[string]any{`"/l/a.log"`: "file /l/a.log", `"l/{{.Stream}}"`: "file /srv/l/{{.Stream}}"},
		"log", `"/l/{{.Slut}}"`, `"/l/"`, `"/l/{{"`, `""`)
	keys(t, head, "log.format", logs(func(l plan.Log) any { return l.Format }), map[string]any{`"json"`: "json", `"plain"`: "plain", `"prefix"`: "prefix"}, "it is one of", `"xml"`)
	keys(t, head, "log.max_size", logs(func(l plan.Log) any { return l.MaxSize }), map[string]any{`"10M"`: uint64(10 << 20), `0`: uint64(0), `4096`: uint64(4096)}, "max_size", `100`, `"10MB"`, `-1`)
	keys(t, head, "log.max_age", logs(func(l plan.Log) any { return l.MaxAge }), map[string]any{`"24h"`: 24 * time.Hour, `"0s"`: time.Duration(0)}, "max_age", `"10ms"`, `24`)
	keys(t, head, "log.keep", logs(func(l plan.Log) any { return l.Keep }), map[string]any{`0`: 0, `30`: 30}, "keep", `-1`, `"3"`)
	keys(t, head, "log.compress", logs(func(l plan.Log) any { return l.Compress }), map[string]any{`true`: true, `false`: false}, "compress", `"gzip"`)
	keys(t, poolHead, "log.backpressure", logs(func(l plan.Log) any { return l.Backpressure }), map[string]any{`true`: true}, "backpressure", `1`)
	keys(t, poolHead, "log.keep", logs(func(l plan.Log) any { return l.Keep }), nil, "only for mode file", `3`)
	keys(t, poolHead+"log.mode = \"inherit\"\n", "log.backpressure", logs(func(l plan.Log) any { return l.Mode }), nil, "has no place", `true`)
}

func TestSupervisorKeys(t *testing.T) {
	head := poolHead + "[supervisor]\n"
	keys(t, head, "name", func(c *Config) any { return c.Name }, map[string]any{`"shop-1.a@b"`: "shop-1.a@b"}, "cannot call a supervisor", `"a b"`, `"-a"`, `"a/b"`)
	keys(t, head, "control", func(c *Config) any { return c.Control }, map[string]any{`"/run/x.sock"`: "/run/x.sock"}, "not absolute", `"x.sock"`)
	keys(t, head, "control.path", func(c *Config) any { return c.Control }, map[string]any{`"/run/x.sock"`: "/run/x.sock"}, "not absolute", `"x.sock"`)
	keys(t, head, "control.read", func(c *Config) any { return c.Access.Read }, map[string]any{`["a", "@b", "7", "@7"]`: []string{"a", "@b", "7", "@7"}},
		"write a user", `["@"]`, `["a b"]`, `["@@a"]`, `["a:b"]`)
	keys(t, head, "control.write", func(c *Config) any { return *c.Access.Write }, map[string]any{`["a"]`: []string{"a"}, `[]`: []string{}}, "write a user", `["@"]`)
	keys(t, head, "control.tcp", func(c *Config) any { return c.Access.TCP.Network }, nil, "there is no token_file", `"9181"`, `"127.0.0.1:9181"`)
	token := head + "control.token_file = \"/run/token\"\n"
	keys(t, token, "control.tcp", func(c *Config) any { return c.Access.TCP.String() }, map[string]any{
		`"9181"`: "127.0.0.1:9181", `"127.9.9.9:1"`: "127.9.9.9:1", `"[::1]:9181"`: "[::1]:9181", `"localhost:9181"`: "localhost:9181",
	}, "tcp", `"web:80"`, `"99999"`, `"unix:/run/x.sock"`, `"udp:127.0.0.1:53"`, `":9181"`, `"0.0.0.0:9181"`, `"10.0.0.1:9181"`)
	keys(t, token+"control.tcp_remote = true\n", "control.tcp", func(c *Config) any { return c.Access.TCP.String() },
		map[string]any{`":9181"`: ":9181", `"10.0.0.1:9181"`: "10.0.0.1:9181"}, "cannot read tcp", `"web:80"`)
	keys(t, head+"control.tcp = \"9181\"\n", "control.token_file", func(c *Config) any { return c.Access.TokenFile },
		map[string]any{`"/run/token"`: "/run/token", `"api"`: "/run/credentials/brood/api"}, "cannot", `"a/b"`, `".."`)
	keys(t, head+"control.tcp = \"9181\"\ncontrol.token_file = \"a\"\n", "control.read_token_file", func(c *Config) any { return c.Access.ReadTokenFile },
		map[string]any{`"/run/token"`: "/run/token"}, "cannot", `"a/b"`)
	keys(t, head, "http", func(c *Config) any { return c.HTTP.String() }, map[string]any{
		`"9180"`: "127.0.0.1:9180", `":9180"`: ":9180", `"[::1]:9180"`: "[::1]:9180", `"localhost:0"`: "localhost:0", `"unix:/run/x.sock"`: "unix:/run/x.sock",
	}, "cannot read http", `"web:80"`, `"99999"`, `"unix:"`, `"udp:127.0.0.1:53"`, `"systemd:x"`, `"on"`)
	keys(t, head+"http = \"9180\"\n", "http_hosts", func(c *Config) any { return c.HTTPHosts }, map[string]any{`["a.example", "b"]`: []string{"a.example", "b"}},
		"cannot read host", `["a:80"]`, `[""]`, `["*"]`, `["-a"]`)
	keys(t, head+"http = \"9180\"\n", "control.token_file", func(c *Config) any { return c.Access.TokenFile }, map[string]any{`"/run/token"`: "/run/token"}, "cannot", `"a/b"`)
	keys(t, head+"http = \"9180\"\n", "control.read_token_file", func(c *Config) any { return c.Access.ReadTokenFile }, nil, "nothing without token_file", `"/run/token"`)
	keys(t, head, "log_level", func(c *Config) any { return c.LogLevel }, map[string]any{`"trace"`: "trace", `"error"`: "error"}, "it is one of", `"verbose"`)
	keys(t, head, "log_format", func(c *Config) any { return c.LogFormat }, map[string]any{`"json"`: "json", `"text"`: "text", `"auto"`: "auto"}, "it is one of", `"xml"`)
	if c, err := read(poolHead, brokenWorld()); err != nil || c.Name != "brood" || c.LogLevel != "info" || c.LogFormat != "auto" || c.Control != "" {
		t.Errorf("by default: %+v, %v", c, err)
	}
}

func TestListenerKeys(t *testing.T) {
	get := func(c *Config) any { return c.Listeners[0] }
	x := listener.Config{Name: "x", Address: listener.Address{Network: "tcp", Port: 80}, QueueAware: true}
	with := func(change func(*Listener)) Listener {
		l := Listener{Config: x}
		change(&l)
		l.QueueAware = l.Steerable() && l.Steer != listener.ClientIP
		return l
	}
	keys(t, listenerHead, "address", get, map[string]any{`":80"`: Listener{Config: x}}, "address", `"80"`, `""`, `80`, `"example.com:80"`)
	head := listenerHead + "address = \":80\"\n"
	keys(t, head, "mode", get, map[string]any{
		`"auto"`: Listener{Config: x}, `"shared"`: with(func(l *Listener) { l.Mode = listener.Shared }), `"per-slot"`: with(func(l *Listener) { l.Mode = listener.PerSlot }),
	}, "it is one of auto, sharded, shared, per-slot", `"both"`)
	keys(t, head, "steer", get, map[string]any{
		`"cpu"`: with(func(l *Listener) { l.Steer = listener.CPU }), `"client-ip"`: with(func(l *Listener) { l.Steer = listener.ClientIP }),
	}, "it is one of random, client-ip, cpu", `"ip"`)
	keys(t, head, "queue_aware", func(c *Config) any { return c.Listeners[0].QueueAware }, map[string]any{`true`: true, `false`: false}, "queue_aware", `1`)
	keys(t, head, "backlog", get, map[string]any{`64`: with(func(l *Listener) { l.Backlog = 64 })}, "backlog", `0`, `-1`, `"64"`, `5000000000`)
	keys(t, head, "public", get, map[string]any{`443`: with(func(l *Listener) { l.Public = 443 })}, "p", `80`, `65536`, `0`)
	keys(t, head, "perm", get, nil, "for unix sockets", `"0600"`)
	unix := listenerHead + "address = \"unix:/x\"\n"
	keys(t, unix, "perm", func(c *Config) any { return c.Listeners[0].Perm.String() }, map[string]any{`"0600"`: "-rw-------"}, "perm", `"8"`, `"0"`, `0o600`, `"1777"`)
	owner := func(c *Config) any { return c.Listeners[0].Owner + ":" + c.Listeners[0].Group }
	keys(t, unix, "owner", owner, map[string]any{`"a"`: "a:", `"a:b"`: "a:b", `":b"`: ":b"}, "owner", `":"`, `"a:"`, `"nobdy"`)
	keys(t, unix, "mode", get, nil, "cannot be sharded", `"sharded"`)
}

func TestCoordinationKeys(t *testing.T) {
	alone := poolHead + "[coordination]\ngroup = \"web\"\n"
	keys(t, poolHead+"[coordination]\n", "group", func(c *Config) any { return c.Coordination.Group }, map[string]any{`"web-1_a"`: "web-1_a"}, "cannot call a group", `"web.1"`, `"-a"`, `"a/b"`)
	keys(t, alone, "directory", func(c *Config) any { return c.Coordination.Directory }, map[string]any{`"/run/places"`: "/run/places"}, "not absolute", `"places"`)
	keys(t, alone, "etcd", func(c *Config) any { return c.Coordination.Etcd.Endpoints },
		map[string]any{`["http://a:1", "http://[::1]:2/"]`: []string{"http://a:1", "http://[::1]:2/"}}, "endpoint", `["a:1"]`, `["https://"]`, `["unix:/x"]`, `["http://a/x"]`,
		`["http://me:secret@a:1"]`, `["http://a:1", "https://b:1"]`, `["http://a:1", "http://a:1"]`, `[""]`)
	for _, key := range []string{`prefix = "/a"`, `ca = "/a"`, `cert = "/a"`, `key = "/a"`, `user = "a"`, `password_file = "/a"`, `lease = "10s"`, `on_lost = "keep"`} {
		name, value, _ := strings.Cut(key, " = ")
		keys(t, alone, name, func(*Config) any { return nil }, nil, "means nothing without etcd", value)
	}
	etcd := alone + "etcd = [\"https://a:1\"]\n"
	get := func(c *Config) any { return c.Coordination }
	with := func(change func(*plan.Coordination)) plan.Coordination {
		c := plan.Coordination{Group: "web", Etcd: plan.Etcd{Endpoints: []string{"https://a:1"}, Prefix: "/brood"}, Lease: 10 * time.Second}
		change(&c)
		return c
	}
	keys(t, etcd, "directory", get, nil, "means nothing with etcd", `"/run/places"`)
	keys(t, etcd, "prefix", get, map[string]any{`"/a/b-c"`: with(func(c *plan.Coordination) { c.Etcd.Prefix = "/a/b-c" })}, "cannot use prefix", `"a"`, `"/"`, `"/a/"`, `"/a b"`)
	keys(t, etcd, "ca", get, map[string]any{
		`"/etc/ca.pem"`: with(func(c *plan.Coordination) { c.Etcd.CA = "/etc/ca.pem" }),
		`"ca"`:          with(func(c *plan.Coordination) { c.Etcd.CA = "/run/credentials/brood/ca" }),
	}, "cannot use credential", `"a/b"`)
	keys(t, alone+"etcd = [\"http://a:1\"]\n", "ca", get, nil, "without endpoints that begin with https://", `"/etc/ca.pem"`)
	keys(t, etcd+"key = \"/k\"\n", "cert", get, map[string]any{`"/c"`: with(func(c *plan.Coordination) { c.Etcd.Cert, c.Etcd.Key = "/c", "/k" })}, "cannot use credential", `"a/b"`)
	keys(t, etcd, "cert", get, nil, "needs key beside it", `"/c"`)
	keys(t, etcd, "key", get, nil, "needs cert beside it", `"/k"`)
	keys(t, etcd+"password_file = \"/p\"\n", "user", get, map[string]any{`"me"`: with(func(c *plan.Coordination) { c.Etcd.User, c.Etcd.PasswordFile = "me", "/p" })}, "", ``)
	keys(t, etcd, "user", get, nil, "needs password_file beside it", `"me"`)
	keys(t, etcd, "password_file", get, nil, "needs user beside it", `"/p"`)
	keys(t, etcd, "lease", get, map[string]any{`"2s"`: with(func(c *plan.Coordination) { c.Lease = 2 * time.Second })}, "lease is whole seconds", `"1s"`, `"2500ms"`, `"11m"`)
	keys(t, etcd, "on_lost", get, map[string]any{`"keep"`: with(func(c *plan.Coordination) { c.KeepIDs = true }), `"stop"`: with(func(*plan.Coordination) {})}, "it is one of keep, stop", `"kill"`)
}
