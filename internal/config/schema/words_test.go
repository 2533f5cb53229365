package main

// wordTest is a file with a place for a word.
type wordTest struct {
	text      string // with WORD
	good, bad []string
}

// wordTests go through the keys whose values have a form, and the kinds of mistakes. A word is as it stands in the file,
// with its quotes.
func wordTests() []wordTest {
	const (
		pool   = "[pool.a]\ncommand = [\"a\"]\n"
		listen = "[pool.a]\ncommand = [\"a\"]\nlisten = [\"x\"]\n[listen.x]\n"
		unix   = listen + "address = \"unix:/run/x\"\n"
		probed = pool + "[pool.a.liveness]\n"
		tcp    = listen + "address = \":80\"\n"
	)
	durations := []string{`"0"`, `"500ms"`, `"30s"`, `"1m30s"`, `"1.5h"`, `"10us"`}
	noDurations := []string{`30`, `1.5`, `"30"`, `"-1s"`, `"1 m"`, `"1d"`, `""`, `"s"`, `true`, `["1s"]`}
	signals := []string{`"TERM"`, `"SIGTERM"`, `"term"`, `"sigterm"`, `"15"`}
	noSignals := []string{`"TREM"`, `"SIG"`, `""`, `15`, `"-15"`}
	bytes := []string{`0`, `65535`, `"65535"`, `"1024:65535"`, `"infinity"`, `"1:infinity"`, `"64M"`, `"1K:1T"`}
	noBytes := []string{`-1`, `""`, `"64m"`, `"64MB"`, `"1:"`, `":1"`, `"1:2:3"`, `"unlimited"`, `1.5`, `["1"]`}
	sizes := []string{`1048576`, `"1048576"`, `"1M"`, `"512M"`, `"1024K"`, `"2G"`, `"1T"`}
	noSizes := []string{`0`, `512`, `-1`, `""`, `"512m"`, `"512MB"`, `"1.5G"`, `"infinity"`, `"100K"`, `1.5`, `["1M"]`}
	flat := []string{`["a"]`, `["a", "b"]`, `[]`}
	notFlat := []string{`"a"`, `[1]`, `[""]`, `["a", "a"]`, `{a = "b"}`}
	return []wordTest{
		{"WORD", []string{pool, pool + "[pool.b]\ncommand = [\"b\"]"}, []string{"", "[pool]", "[pool.a]", "[supervisor]", "pool = 1", pool + "[x]", pool + "x = 1", pool + "Workers = 2", pool + "metrics.x = 1", "[[pool]]\ncommand = [\"a\"]"}},
		{"[pool.WORD]\ncommand = [\"a\"]", []string{"a", `"a.b_c-9"`, "0"}, []string{`""`, `"-a"`, `"a b"`, `"é"`}},
		{"[pool.a]\ncommand = WORD", []string{`["a"]`, `["a", ""]`, `["a", "{{.Slot}}"]`}, []string{`[]`, `"a"`, `[1]`, `[["a"]]`, `{}`}},

		{pool + "[supervisor]\nname = WORD", []string{`"a"`, `"a@b.c-d_9"`}, []string{`""`, `"a/b"`, `"-a"`, `1`, `"a b"`}},
		{pool + "[supervisor]\ncontrol = WORD", []string{`"/run/x.sock"`}, []string{`""`, `"x.sock"`, `1`}},
		{pool + "[supervisor]\nhttp = WORD", []string{`"9180"`, `":9180"`, `"127.0.0.1:9180"`, `"[::1]:9180"`, `"unix:/run/x"`, `"unix:@x"`}, []string{`"udp:127.0.0.1:53"`, `"systemd:x"`, `"unix:"`, `"on"`, `9180`, `true`}},
		{pool + "[supervisor]\nlog_level = WORD", []string{`"trace"`, `"error"`}, []string{`""`, `"warning"`, `"INFO"`, `3`}},
		{pool + "[supervisor]\nlog_format = WORD", []string{`"auto"`, `"json"`, `"text"`}, []string{`""`, `"yaml"`, `true`}},
		{pool + "[supervisor]\nstop_timeout = WORD", []string{`"90s"`, `"1h"`}, noDurations},

		{listen + "address = WORD", []string{`":80"`, `"*:80"`, `"[::1]:80"`, `"udp:127.0.0.1:53"`, `"unix:/run/x"`, `"systemd:x"`}, []string{`""`, `"80"`, `80`, `"localhost"`}},
		{"[pool.a]\ncommand = [\"a\"]\nlisten = [WORD]\n[listen.WORD]\naddress = \":80\"", []string{`"x"`, `"a+b"`, `"a.b"`, `"!"`}, []string{`""`, `"a b"`, `"a:b"`, `"a,b"`, `"a=b"`, `"é"`}},
		{unix + "mode = WORD", []string{`"auto"`, `"shared"`}, []string{`""`, `"both"`, `"per_slot"`, `1`}},
		{tcp + "mode = WORD", []string{`"sharded"`, `"shared"`, `"per-slot"`}, []string{`"Sharded"`}},
		{tcp + "steer = WORD", []string{`"random"`, `"client-ip"`, `"cpu"`}, []string{`""`, `"ip"`, `true`}},
		{tcp + "backlog = WORD", []string{`1`, `65535`, `0x10`}, []string{`-1`, `"1"`, `1.5`, `0`}},
		{tcp + "public = WORD", []string{`1`, `443`, `65535`}, []string{`0`, `65536`, `-1`, `"443"`}},
		{unix + "perm = WORD", []string{`"0660"`, `"660"`, `"777"`}, []string{`""`, `660`, `"0o660"`, `"888"`, `"01777"`, `"rw"`, `"0"`}},
		{unix + "owner = WORD", []string{`"a"`, `"a:b"`, `":b"`, `"33:33"`}, []string{`""`, `":"`, `"a:"`, `33`}},

		{tcp + "queue_aware = WORD", []string{`true`, `false`}, []string{`1`, `"true"`}},
		{pool + "workers = WORD", []string{`1`, `10000`, `"4"`, `"cpus"`, `"2*cpus+1"`, `" 2 * cpus "`}, []string{`0`, `-1`, `10001`, `1.5`, `""`, `"cpu"`, `"2cpus"`, `"cpus-1"`, `"+"`, `["cpus"]`, `true`}},
		{pool + "workers = WORD", []string{`{max = 4}`, `{min = 2, max = "2*cpus"}`, `{min = 4, max = 4}`}, []string{`{}`, `{min = 2}`, `{max = 0}`, `{max = 10001}`, `{max = 1.5}`, `{max = ""}`, `{max = 4, most = 5}`}},
		{pool + "env = WORD", []string{`{}`, `{A = ""}`, `{A = "a:b,c;d", "b.c" = "{{.Slot}}"}`}, []string{`{A = 1}`, `{A = true}`, `{"" = "x"}`, `{"A=B" = "x"}`, `["A=1"]`, `{A = {B = "x"}}`}},
		{pool + "env_file = WORD", []string{`["brood.env"]`, `["-none.env"]`, `["brood.env", "-none.env"]`}, []string{`"brood.env"`, `[""]`, `[1]`, `["brood.env", "brood.env"]`}},
		{pool + "credentials = WORD", []string{`{A = "key"}`, `{A = "/etc/shop/x"}`, `{A = "path:key"}`, `{A = "path:/etc/shop/x"}`}, []string{`{A = ""}`, `{A = "a/b"}`, `{A = "path:"}`, `{A = "path:a/b"}`, `{A = "a b"}`, `{A = 1}`, `{"A=B" = "key"}`, `{A = "a:b"}`}},
		{pool + "dir = WORD", []string{`"/"`, `"a/{{.Slot}}"`}, []string{`""`, `1`}},
		{pool + "user = WORD", []string{`"a"`, `"1000"`, `"w{{.Slot}}"`}, []string{`""`, `1000`}},
		{pool + "group = WORD", []string{`"a"`}, []string{`""`, `["a"]`}},
		{pool + "groups = WORD", flat, notFlat},
		{pool + "umask = WORD", []string{`"0027"`, `"27"`, `"0"`, `"777"`}, []string{`""`, `27`, `"0o27"`, `"1000"`, `"u=rwx"`}},
		{pool + "worker_ids = WORD", []string{`"0-1023"`, `"7-99"`}, []string{`""`, `"7"`, `"-7"`, `"1..9"`, `1`, `"a-b"`, `"1-2-3"`}},
		{pool + "worker_id_env = WORD", flat, append([]string{`["A=B"]`}, notFlat...)},
		{pool + "fds_env = WORD", flat, append([]string{`["A=B"]`}, notFlat...)},

		{tcp + "[pool.b]\ncommand = [\"b\"]\nready = WORD", []string{`"auto"`, `"notify"`, `"exec:true"`, `"exec:a\nb"`, `"delay:0"`, `"delay:1m30s"`}, []string{`""`, `"always"`, `"exec:"`, `"exec: "`, `"delay:"`, `"delay:5"`, `"http:"`, `"http:x"`, `"http:///x"`, `1`, `true`, `"http:/a b"`}},
		{"[listen.x]\naddress = \":80\"\n[pool.a]\ncommand = [\"a\"]\nlisten = [\"x\"]\nready = WORD", []string{`"http:/"`, `"http:/readyz?a=b"`, `"http://127.0.0.1:80/x"`}, []string{`"http"`, `"https:/x"`}},
		{pool + "reload = WORD", []string{`"auto"`, `"signal"`, `"roll"`}, []string{`""`, `"HUP"`, `"never"`}},
		{pool + "reload_signal = WORD", signals, noSignals},
		{pool + "dump_signal = WORD", signals, noSignals},
		{pool + "orphans = WORD", []string{`"kill"`, `"term"`}, []string{`""`, `"reap"`}},
		{pool + "requires = WORD", []string{
			`["tcp://127.0.0.1:1", "tcp:localhost:1", "tcp://[::1]:1"]`, `["unix:///x", "unix:/x", "unix:@x"]`, `["env:A"]`, `["file:/", "file:/a", "file:a", "file:///a"]`, `["exec:a b"]`, `[]`,
		}, []string{
			`"env:A"`, `[""]`, `["A"]`, `["http://a:1/"]`, `["tcp://a"]`, `["tcp://a:b@c:1"]`, `["tcp://a:1/b"]`, `["tcp://a:1?b"]`, `["unix:x"]`, `["unix://x"]`,
			`["env:"]`, `["env:$A"]`, `["env:A=B"]`, `["env:A B"]`, `["file:"]`, `["file://a"]`, `["exec:"]`, `["exec: "]`, `["env:A", "env:A"]`, `[1]`,
		}},
		{pool + "requires_timeout = WORD", durations, noDurations},
		{pool + "pre_start = WORD", []string{`["a", "a"]`, `[]`}, []string{`"a"`, `[""]`, `[1]`}},
		{pool + "[pool.b]\ncommand = [\"b\"]\n[pool.c]\ncommand = [\"c\"]\nafter = WORD", flat, append([]string{`["a b"]`}, notFlat...)},

		{pool + "stop.signal = WORD", signals, noSignals},
		{pool + "stop.grace = WORD", durations, noDurations},
		{pool + "stop.delay = WORD", durations, noDurations},
		{pool + "stop = WORD", []string{`{}`}, []string{`"TERM"`, `{graze = "1s"}`, `[]`}},
		{pool + "restart.policy = WORD", []string{`"always"`, `"on-failure"`, `"never"`}, []string{`""`, `"unless-stopped"`, `true`}},
		{pool + "restart.clean_exits = WORD", []string{`[]`, `[143, "TERM", "143", 1, 255]`}, []string{`143`, `"TERM"`, `["TREM"]`, `[0]`, `[256]`, `[-1]`, `[1.5]`, `[""]`}},
		{pool + "restart.backoff = WORD", []string{`"0"`, `"2m"`}, noDurations},
		{pool + "restart.max_backoff = WORD", []string{`"2m"`}, noDurations},
		{pool + "restart.give_up_after = WORD", []string{`0`, `5`}, []string{`-1`, `"5"`, `1.5`}},
		{pool + "process.nice = WORD", []string{`-20`, `0`, `19`}, []string{`-21`, `20`, `"5"`, `1.5`}},
		{pool + "process.oom_score_adj = WORD", []string{`-1000`, `1000`}, []string{`-1001`, `1001`, `""`}},
		{pool + "process.ioprio = WORD", []string{`"idle"`, `"best-effort:7"`, `"realtime:0"`}, []string{`"idle:0"`, `"realtime"`, `"best-effort:8"`, `"none"`, `""`}},
		{
			pool + "process.cpus = WORD",
			[]string{`"spread"`, `"nodes"`, `"node:12"`, `"0-3,8"`, `"8,1"`},
			[]string{`"0-"`, `"node:"`, `"node:x"`, `","`, `"all"`, `""`, `3`},
		},
		{pool + "process.private_tmp = WORD", []string{`true`, `false`}, []string{`"true"`, `1`}},
		{pool + "process.no_new_privs = WORD", []string{`true`, `false`}, []string{`"true"`, `1`}},
		{pool + "process.capabilities = WORD", []string{`[]`, `["KILL", "cap_bpf"]`}, []string{`["KILL", "KILL"]`, `[""]`, `["NET-ADMIN"]`, `"KILL"`}},
		{pool + "workers = 4\nrollout.max_surge = WORD", []string{`1`, `"1"`, `"25%"`, `"1000%"`}, []string{`-1`, `"1001%"`, `"1.5%"`, `"-1"`, `""`, `"all"`, `1.5`}},
		{pool + "workers = 4\nrollout.max_unavailable = WORD", []string{`0`, `"0%"`, `4`}, []string{`-1`, `"%"`, `true`}},
		{pool + "rollout.ready_timeout = WORD", []string{`"1s"`, `"1h"`}, noDurations},
		{pool + "rollout.min_ready = WORD", durations, noDurations},
		{pool + "rollout.canary = WORD", durations, noDurations},
		{pool + "rollout.settle = WORD", durations, noDurations},
		{pool + "rollout.order = WORD", []string{`"start-first"`, `"stop-first"`}, []string{`""`, `"stop_first"`}},
		{pool + "limits.nofile = WORD", []string{`0`, `65535`, `"1024:65535"`, `"infinity"`}, append([]string{`"64K"`}, noBytes...)},
		{pool + "limits.nproc = WORD", []string{`100`, `"1:2"`}, append([]string{`"1K"`}, noBytes...)},
		{pool + "limits.core = WORD", bytes, noBytes},
		{pool + "limits.as = WORD", bytes, noBytes},
		{pool + "limits.stack = WORD", bytes, noBytes},
		{pool + "limits.memlock = WORD", bytes, noBytes},
		{pool + "limits.fsize = WORD", bytes, noBytes},
		{pool + "limits.memory_max = WORD", sizes, noSizes},
		{pool + "limits.memory_high = WORD", sizes, noSizes},
		{pool + "limits.memory_low = WORD", sizes, noSizes},
		{pool + "limits.cpu_max = WORD", []string{`"1%"`, `"150%"`, `"100000%"`}, []string{`"0%"`, `"100001%"`, `1.5`, `2`, `"2"`, `""`, `"-5%"`, `"1.5%"`, `"%"`, `true`}},
		{pool + "limits.cpu_weight = WORD", []string{`1`, `100`, `10000`}, []string{`0`, `10001`, `-1`, `"100"`, `1.5`}},
		{pool + "limits.io_weight = WORD", []string{`1`, `10000`}, []string{`0`, `10001`, `"default"`}},
		{pool + "limits.pids_max = WORD", []string{`1`, `4096`}, []string{`0`, `-1`, `"max"`, `1.5`}},
		{pool + "limits.nofiles = WORD", nil, []string{`1`}},
		{pool + "health.watchdog = WORD", []string{`"0"`, `"30s"`, `"500ms"`}, noDurations},
		{pool + "health.hang = WORD", []string{`"0"`, `"10s"`}, noDurations},
		{pool + "health.trace = WORD", durations, noDurations},
		{pool + "recycle.max_lifetime = WORD", []string{`"12h"`}, noDurations},
		{pool + "recycle.max_memory = WORD", sizes, noSizes},
		{pool + "recycle.max_requests = WORD", []string{`1`, `10_000`}, []string{`0`, `-1`, `"1000"`, `1.5`}},
		{pool + "recycle = {max_requests = 1, jitter = WORD}", []string{`"0%"`, `"10%"`, `"100%"`}, []string{`10`, `0.1`, `"10"`, `"101%"`, `""`, `"-1%"`}},
		{pool + "recycle = {max_requests = 1, gap = WORD}", durations, noDurations},
		{pool + "workers = {max = 4}\nautoscale.cpu = WORD", []string{`"1%"`, `"80%"`, `"400%"`}, []string{`80`, `0.8`, `"80"`, `""`, `true`}},
		{pool + "workers = {max = 4}\nautoscale.up_after = WORD", durations, noDurations},
		{pool + "workers = {max = 4}\nautoscale.down_after = WORD", durations, noDurations},
		{tcp + "[pool.b]\ncommand = [\"b\"]\nlisten = [\"y\"]\nworkers = {max = 4}\n[listen.y]\naddress = \":81\"\n[pool.b.autoscale]\nqueue = WORD", []string{`1`, `0.5`, `1e3`, `2.50`}, []string{`0`, `0.0`, `-1`, `"1"`, `nan`, `inf`, `1e7`, `true`}},
		{tcp + "[pool.b]\ncommand = [\"b\"]\nlisten = [\"y\"]\n[listen.y]\naddress = \":81\"\n[pool.b.liveness]\nhttp = WORD", []string{`"/"`, `"/livez?a=b"`, `"https:/x"`}, []string{`""`, `"livez"`, `"http:/x"`, `"http://a:1/x"`, `"https://a:1/x"`, `"/a b"`, `"/a#b"`, `"ftp:/x"`, `1`}},
		{probed + "http = \"/\"\naddress = WORD", []string{`"127.0.0.1:9{{.Slot}}0"`, `"unix:/run/{{.Slot}}"`, `"unix:@{{.WorkerID}}"`}, []string{`""`, `"80"`, `80`, `"localhost"`}},
		{probed + "http = \"/\"\naddress = \"unix:@{{.Slot}}\"\nstatus = WORD", []string{`"200"`, `"200-299"`, `"2xx, 3XX,404"`, `"200 - 204"`}, []string{`""`, `200`, `"600"`, `"100"`, `"2x"`, `"200,"`, `"xx"`}},
		{probed + "http = \"/\"\naddress = \"unix:@{{.Slot}}\"\nhost = WORD", []string{`"a"`, `"a.example:80"`, `"[::1]:80"`}, []string{`""`, `"a b"`, `"a/b"`, `"u@a"`, `1`}},
		{probed + "http = \"/\"\naddress = \"unix:@{{.Slot}}\"\nheaders = WORD", []string{`{}`, `{A = "b"}`, `{"X-A" = "", B = "c d"}`}, []string{`{A = 1}`, `{"A B" = "c"}`, `{"" = "c"}`, `["A: b"]`}},
		{probed + "tcp = WORD", []string{`":900{{.Slot}}"`, `"127.0.0.1:900{{.Slot}}"`}, []string{`""`, `9000`, `"9000"`, `true`}},
		{probed + "unix = WORD", []string{`"/run/{{.Slot}}"`, `"@{{.Slot}}"`, `"{{if .Slot}}/a{{else}}/b{{end}}"`}, []string{`""`, `"run/{{.Slot}}"`, `"unix:/run/{{.Slot}}"`, `"/"`, `1`}},
		{probed + "exec = WORD", []string{`"true"`, `" a b "`}, []string{`""`, `" "`, `["true"]`}},
		{probed + "address = \"unix:@{{.Slot}}\"\ngrpc = WORD", []string{`""`, `"shop.Web"`}, []string{`1`, `true`, `["a"]`}},
		{probed + "exec = \"true\"\ninitial_delay = WORD", durations, noDurations},
		{probed + "exec = \"true\"\nperiod = WORD", []string{`"10ms"`, `"1m"`}, noDurations},
		{probed + "exec = \"true\"\ntimeout = WORD", []string{`"1ms"`, `"1m"`}, noDurations},
		{probed + "exec = \"true\"\nfailure_threshold = WORD", []string{`1`, `30`}, []string{`0`, `-1`, `"3"`, `1.5`}},
		{pool + "[pool.a.readiness]\nexec = \"true\"\nsuccess_threshold = WORD", []string{`1`, `3`}, []string{`0`, `-1`, `"3"`}},
		{pool + "log.mode = WORD", []string{`"auto"`, `"prefix"`, `"tail"`, `"inherit"`, `"json"`, `"journald"`}, []string{`""`, `"syslog"`, `1`}},
		{pool + "log.file = WORD", []string{`"/var/log/a.log"`, `"a/{{.Slot}}"`}, []string{`""`, `"/l/"`, `1`}},
		{pool + "log.file = \"/l\"\nlog.format = WORD", []string{`"json"`, `"plain"`}, []string{`""`, `"xml"`}},
		{pool + "log.file = \"/l\"\nlog.max_size = WORD", []string{`"10M"`, `0`, `"64K"`}, []string{`"10MB"`, `-1`, `""`, `true`}},
		{pool + "log.file = \"/l\"\nlog.max_age = WORD", []string{`"24h"`}, noDurations},
		{pool + "log.file = \"/l\"\nlog.keep = WORD", []string{`0`, `30`}, []string{`-1`, `"3"`}},
		{pool + "log.file = \"/l\"\nlog.compress = WORD", []string{`true`, `false`}, []string{`"gzip"`, `1`}},
		{pool + "log.backpressure = WORD", []string{`true`, `false`}, []string{`"yes"`, `1`}},
	}
}
