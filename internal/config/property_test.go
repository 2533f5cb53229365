package config

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestEncodeKeepsMeaning: whatever File, from flags, means something, means the same when it was written as a file.
func TestEncodeKeepsMeaning(t *testing.T) {
	good := 0
	rapid.Check(t, func(t *rapid.T) {
		f := drawFile(t)
		w := fullWorld()
		c, err := FromFile(f, w)
		if err != nil {
			if _, ok := errors.AsType[Problems](err); !ok {
				t.Fatalf("not problems: %v", err)
			}
			t.Skip("what does not fit together has no meaning")
		}
		good++
		checkSame(t, f, c, w)
	})
	t.Logf("%d files had a meaning", good)
	if good == 0 {
		t.Error("no file that was drawn had a meaning")
	}
}

func drawControl(t *rapid.T) ControlTable {
	c := ControlTable{Path: word(t, "control", "", "/run/x.sock")}
	if n := rapid.IntRange(0, 2).Draw(t, "read"); n > 0 {
		c.Read = []string{"1", "@2"}[:n]
	}
	if n := rapid.IntRange(-1, 2).Draw(t, "write"); n >= 0 {
		c.Write = new([]string{"a", "@b"}[:n])
	}
	if rapid.Bool().Draw(t, "tcp") {
		c.TCP, c.TokenFile = word(t, "tcp address", "9181", "[::1]:9181"), "/run/token"
		c.ReadTokenFile, c.TCPRemote = word(t, "read_token_file", "", "reading"), rapid.Bool().Draw(t, "tcp_remote")
	}
	return c
}

func drawCoordination(t *rapid.T) CoordinationTable {
	c := CoordinationTable{Group: word(t, "group", "", "web")}
	switch {
	case c.Group == "":
	case rapid.Bool().Draw(t, "etcd"):
		c.Etcd = []string{"https://a:2379", "https://b:2379"}[:rapid.IntRange(1, 2).Draw(t, "endpoints")]
		c.Prefix, c.CA, c.OnLost = word(t, "prefix", "", "/x/y"), word(t, "ca", "", "ca.pem", "/etc/ca.pem"), word(t, "on_lost", "", "stop", "keep")
		c.Lease = Duration(rapid.IntRange(2, 600).Draw(t, "lease")) * 1_000_000_000
		if rapid.Bool().Draw(t, "certificate") {
			c.Cert, c.Key = "cert", "key"
		}
		if rapid.Bool().Draw(t, "login") {
			c.User, c.PasswordFile = "me", "/p"
		}
	default:
		c.Directory = word(t, "directory", "", "/run/x")
	}
	return c
}

func drawFile(t *rapid.T) *File {
	f := &File{Listen: map[string]ListenTable{}, Pool: map[string]PoolTable{}}
	f.Supervisor = SupervisorTable{
		Name: "drawn", LogLevel: word(t, "log_level", "trace", "info", "error"), LogFormat: word(t, "log_format", "auto", "json"),
		HTTP:        word(t, "http", "", "9180", ":9180", "unix:/run/h.sock"),
		StopTimeout: maybe(t, "stop_timeout", duration(3600, 4000)),
		Control:     drawControl(t),
	}
	if f.Supervisor.HTTP != "" {
		f.Supervisor.HTTPHosts = []string{"brood.example.org", "x"}[:rapid.IntRange(0, 2).Draw(t, "hosts")]
	}
	f.Coordination = drawCoordination(t)
	pools := rapid.IntRange(1, 3).Draw(t, "pools")
	for i := range pools {
		name := rapid.SampledFrom([]string{"web", "a.b", "x_y-z", "9"}).Draw(t, "pool") + fmt.Sprint(i)
		p := drawPool(t)
		for n := range rapid.IntRange(0, 2).Draw(t, "listeners") {
			at := fmt.Sprintf("l%d.%d", i, n)
			f.Listen[at] = drawListener(t, 1000*i+100*n)
			p.Listen = append(p.Listen, at)
		}
		f.Pool[name] = p
	}
	return f
}

func drawListener(t *rapid.T, port int) ListenTable {
	l := rapid.SampledFrom([]ListenTable{
		{Address: fmt.Sprintf("127.0.0.1:%d", 2000+port)},
		{Address: fmt.Sprintf("127.0.0.1:%d", 2000+port), Mode: "per-slot"},
		{Address: fmt.Sprintf("127.0.0.1:%d", 2000+port), Steer: "client-ip", QueueAware: new(false), Backlog: 5, Public: 10000 + port},
		{Address: fmt.Sprintf("127.0.0.1:%d", 2000+port), Steer: "cpu", QueueAware: new(true)},
		{Address: fmt.Sprintf("udp:[::1]:%d", 2000+port), Mode: "sharded"},
		{Address: fmt.Sprintf("unix:/run/%d \"x\".sock", port), Perm: "0600", Owner: ":www-data"},
		{Address: fmt.Sprintf("systemd:s%d", port), Mode: "shared"},
	}).Draw(t, "listener")
	return l
}

func drawPool(t *rapid.T) PoolTable {
	text := rapid.StringN(1, 8, -1).Filter(func(s string) bool { return s != "" && checkString(s) == nil })
	p := PoolTable{
		Command: append([]string{"server"}, rapid.SliceOfN(text, 0, 3).Draw(t, "command")...),
		Workers: maybe(t, "workers", rapid.SampledFrom([]Workers{{Count: "1"}, {Count: "3"}, {Count: "cpus"}, {Count: "2*cpus+1"}, {Max: "cpus"}, {Min: "2", Max: "2*cpus"}})),
		Env:     rapid.MapOfN(rapid.StringMatching(`[A-Z]{1,3}|[a-z. "]{1,4}`), rapid.String(), 0, 3).Draw(t, "env"),
		Dir:     word(t, "dir", "/srv/a b", "relative", "{{.Pool}}"), User: word(t, "user", "www", "1000"), Umask: word(t, "umask", "0", "0077"),
		WorkerIDEnv: rapid.SampledFrom([][]string{nil, {"WORKER_ID"}}).Draw(t, "worker_id_env"),
		Ready:       word(t, "ready", "auto", "notify", "delay:3s", "exec:test -e \"x\"", "http:/x", "tcp"), Reload: word(t, "reload", "signal", "roll"),
		DumpSignal: word(t, "dump_signal", "USR1", "15"), Orphans: word(t, "orphans", "keep", "term"),
		Requires:        rapid.SampledFrom([][]string{nil, {"env:A", "file:/etc/x"}}).Draw(t, "requires"),
		RequiresTimeout: maybe(t, "requires_timeout", duration(0, 100)), PreStart: rapid.SliceOfN(text, 0, 2).Draw(t, "pre_start"),
	}
	p.Credentials = rapid.SampledFrom([]map[string]string{nil, {"KEY!": "key.pem"}, {"CERT!": "path:/etc/ssl/cert.pem"}}).Draw(t, "credentials")
	p.EnvFile = rapid.SampledFrom([][]string{nil, {"web.env"}, {"-none.env"}}).Draw(t, "env_file")
	p.Stop = StopTable{Signal: word(t, "signal", "QUIT", "2"), Grace: maybe(t, "grace", duration(0, 300)), Delay: maybe(t, "delay", duration(0, 5))}
	p.Restart = RestartTable{
		Policy: word(t, "policy", "never", "on-failure"), CleanExits: rapid.SampledFrom([][]ExitWord{nil, {"143", "TERM"}, {"KILL"}}).Draw(t, "clean_exits"),
		Backoff: maybe(t, "backoff", duration(0, 100)), GiveUpAfter: maybe(t, "give_up_after", rapid.IntRange(0, 9)),
	}
	share := rapid.SampledFrom([]Share{"0", "1", "3", "0%", "30%", "100%"})
	p.Rollout = RolloutTable{
		MaxSurge: maybe(t, "max_surge", share), MaxUnavailable: maybe(t, "max_unavailable", share), ReadyTimeout: maybe(t, "ready_timeout", duration(0, 90)),
		MinReady: maybe(t, "min_ready", duration(0, 9)), Canary: maybe(t, "canary", duration(0, 9)), Settle: maybe(t, "settle", duration(0, 9)),
		Order: word(t, "order", "start-first", "stop-first"),
	}
	limit := rapid.SampledFrom([]Limit{"0", "5", "1:2", "infinity", "5:infinity"})
	p.Limits = LimitsTable{NoFile: maybe(t, "nofile", limit), Core: maybe(t, "core", limit), AS: maybe(t, "as", rapid.SampledFrom([]Limit{"1G", "64K:2M"}))}
	p.Process = ProcessTable{
		Nice: maybe(t, "nice", rapid.SampledFrom([]Nice{-20, 0, 19})), OOMScoreAdj: maybe(t, "oom_score_adj", rapid.SampledFrom([]OOMScore{-1000, 0, 7})),
		IOPrio: word(t, "ioprio", "idle", "realtime:0", "best-effort:7"), CPUs: word(t, "cpus", "spread", "nodes", "node:1", "3,0-1"),
		PrivateTmp: rapid.Bool().Draw(t, "private_tmp"),
		NoNewPrivs: rapid.Bool().Draw(t, "no_new_privs"), Capabilities: maybe(t, "capabilities", rapid.SampledFrom([][]string{{}, {"KILL"}, {"cap_bpf", "CHOWN"}})),
	}
	drawHealth(t, &p)
	p.Log.Mode = word(t, "mode", "inherit", "tail", "prefix", "json", "journald")
	p.Log.Backpressure = p.Log.Mode != "inherit" && rapid.Bool().Draw(t, "backpressure")
	switch {
	case p.Orphans == "keep":
		p.Log = LogTable{Mode: word(t, "mode of orphans", "inherit")}
	case p.Log.Mode == "":
		p.Log = LogTable{
			File: "/l/{{.Pool}}.{{.Slot}}.log", Format: word(t, "format", "json", "prefix"), MaxSize: FileSize(word(t, "max_size", "0", "4K")),
			MaxAge: maybe(t, "max_age", duration(4, 90)), Keep: maybe(t, "keep", rapid.IntRange(0, 9)), Compress: rapid.Bool().Draw(t, "compress"),
		}
	}
	return p
}

// word draws one of words, or none.
func word(t *rapid.T, label string, words ...string) string {
	return rapid.SampledFrom(append(words, "", "")).Draw(t, label)
}

func maybe[T any](t *rapid.T, label string, g *rapid.Generator[T]) *T {
	if !rapid.Bool().Draw(t, "say "+label) {
		return nil
	}
	v := g.Draw(t, label)
	return &v
}

// duration draws so many seconds, and a bit.
func duration(from, to int) *rapid.Generator[Duration] {
	return rapid.Map(rapid.IntRange(from*4, to*4), func(n int) Duration { return Duration(n) * 250_000_000 })
}
