package config

import (
	"math"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/google/go-cmp/cmp"

	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/worker"
)

func recipe(get func(worker.RecipeConfig) any) func(*Config) any {
	return func(c *Config) any { return get(c.Pools[0].Recipe) }
}

func TestRecipeKeys(t *testing.T) {
	keys(t, "[pool.web]\n", "command", recipe(func(r worker.RecipeConfig) any { return r.Argv }), map[string]any{
		`["a"]`: []string{"a"}, `["a", "", "b c"]`: []string{"a", "", "b c"}, `["{{.Pool}}", "{{.Slot}}"]`: []string{"{{.Pool}}", "{{.Slot}}"},
	}, "", `[]`, `[""]`, `"a"`, `["a", 5]`, `["a b"]`, `["a", "{{.Nothing}}"]`, `["a", "\u0000"]`)
	keys(t, poolHead, "dir", recipe(func(r worker.RecipeConfig) any { return r.Dir }),
		map[string]any{`"/a"`: "/a", `"a"`: "/srv/a", `"{{.Slot}}/a"`: "{{.Slot}}/a"}, "dir", `""`, `5`, `"{{"`, `"{{.Port.http}}"`)
	keys(t, poolHead, "user", recipe(func(r worker.RecipeConfig) any { return r.User }), map[string]any{`"www"`: "www", `"{{.Pool}}"`: "{{.Pool}}"}, "user", `"nobdy"`, `""`, `33`)
	keys(t, poolHead, "group", recipe(func(r worker.RecipeConfig) any { return r.Group }), map[string]any{`"www"`: "www"}, "group", `"nobdy"`, `"{{.X}}"`)
	keys(t, poolHead, "groups", recipe(func(r worker.RecipeConfig) any { return r.Groups }), map[string]any{`["a", "b"]`: []string{"a", "b"}}, "groups", `["a", "a"]`, `[""]`, `["nobdy"]`, `"a"`)
	keys(t, poolHead, "worker_id_env", recipe(func(r worker.RecipeConfig) any { return r.WorkerIDEnv }), map[string]any{`["ID"]`: []string{"ID"}}, "", `["ID", "ID"]`, `["A=B"]`, `["BROOD_SLOT"]`, `"ID"`)
	keys(t, poolHead, "fds_env", recipe(func(r worker.RecipeConfig) any { return r.FDsEnv }), map[string]any{`["FDS"]`: []string{"FDS"}}, "", `[""]`, `["LISTEN_FDS"]`, `[5]`)
}

func TestPoolLists(t *testing.T) {
	keys(t, poolHead, "requires", pool(func(p Pool) any { return p.Requires }),
		map[string]any{`["tcp://db:5432", "env:A"]`: []string{"tcp://db:5432", "env:A"}}, "", `["tcp://db"]`, `[""]`, `"env:A"`, `["env:A", "env:A"]`)
	keys(t, poolHead, "pre_start", pool(func(p Pool) any { return p.PreStart }), map[string]any{`["a", "a"]`: []string{"a", "a"}}, "", `[""]`, `"a"`)
	keys(t, poolHead+"[pool.q]\ncommand = [\"q\"]\n", "after", func(c *Config) any { return c.Pools[1].After }, map[string]any{`["web"]`: []string{"web"}}, "", `["q"]`, `["wbe"]`, `[""]`, `"web"`)
	keys(t, poolHead, "listen", pool(func(p Pool) any { return p.Listen }), map[string]any{`["*"]`: []string{"*"}}, "", `["http"]`, `[""]`, `"*"`)
	keys(t, poolHead, "umask", pool(func(p Pool) any { return *p.Umask }), map[string]any{`"0027"`: uint32(0o27), `"0"`: uint32(0)}, "umask", `"8"`, `"1000"`, `27`, `""`)
}

func TestSignalKeys(t *testing.T) {
	for key, get := range map[string]func(worker.Signals) any{
		"stop.signal":   func(s worker.Signals) any { return s.Stop },
		"reload_signal": func(s worker.Signals) any { return s.Reload },
		"dump_signal":   func(s worker.Signals) any { return s.Dump },
	} {
		keys(t, poolHead, key, pool(func(p Pool) any { return get(p.Signals) }),
			map[string]any{`"QUIT"`: syscall.SIGQUIT, `"SIGINT"`: syscall.SIGINT, `"sigusr1"`: syscall.SIGUSR1, `"9"`: syscall.SIGKILL},
			"", `"NOPE"`, `"0"`, `"65"`, `"-1"`, `15`, `""`)
	}
	named := pool(func(p Pool) any { return p.Signals.DumpNamed })
	keys(t, poolHead, "dump_signal", named, map[string]any{`"USR2"`: true}, "")
	keys(t, poolHead, "reload_signal", named, map[string]any{`"USR2"`: false}, "")
}

func TestLimitKeys(t *testing.T) {
	const none = uint64(math.MaxUint64)
	for key, resource := range map[string]int{
		"nofile": unix.RLIMIT_NOFILE, "nproc": unix.RLIMIT_NPROC, "core": unix.RLIMIT_CORE, "as": unix.RLIMIT_AS,
		"stack": unix.RLIMIT_STACK, "memlock": unix.RLIMIT_MEMLOCK, "fsize": unix.RLIMIT_FSIZE,
	} {
		limit := func(soft, hard uint64) []worker.Limit {
			return []worker.Limit{{Resource: resource, Soft: soft, Hard: hard}}
		}
		good := map[string]any{
			`65535`: limit(65535, 65535), `"65535"`: limit(65535, 65535), `"1024:65535"`: limit(1024, 65535), `"infinity"`: limit(none, none),
			`"0:infinity"`: limit(0, none), `0`: limit(0, 0),
		}
		wrong := []string{`-1`, `"2:1"`, `"infinity:5"`, `"a"`, `""`, `":"`, `"1:"`, `"1:2:3"`, `"18446744073709551615"`, `1.5`, `[1]`, `"1X"`, `"+1"`}
		if key == "nofile" || key == "nproc" {
			wrong = append(wrong, `"64K"`)
		} else {
			good[`"64K:1G"`] = limit(64<<10, 1<<30)
			good[`"2T"`] = limit(2<<40, 2<<40)
			wrong = append(wrong, `"64k"`, `"64KB"`, `"K"`, `"17000000T"`)
		}
		keys(t, poolHead, "limits."+key, pool(func(p Pool) any { return p.Limits }), good, key, wrong...)
	}
}

func TestReadyKey(t *testing.T) {
	head := "[listen.http]\naddress = \"127.0.0.1:8080\"\n[listen.any]\naddress = \":81\"\nmode = \"per-slot\"\n" + poolHead + "listen = [\"http\", \"any\"]\n"
	ready := func(path string) worker.Readiness { return worker.Readiness{Kind: worker.ReadyHTTP, Path: path} }
	get := pool(func(p Pool) any { return p.Ready })
	keys(t, head, "ready", get, map[string]any{
		`"auto"`: worker.Readiness{}, `"notify"`: worker.Readiness{Kind: worker.ReadyNotify}, `"tcp"`: worker.Readiness{Kind: worker.ReadyTCP},
		`"http:/readyz"`: ready("/readyz"), `"http:/a?b=c"`: ready("/a?b=c"), `"http://127.0.0.1:8080/x"`: ready("/x"),
		`"http://localhost:8080/x"`: ready("/x"), `"http://10.0.0.1:81/x"`: ready("/x"),
		`"exec:test -e x"`: worker.Readiness{Kind: worker.ReadyExec, Command: "test -e x"},
		`"delay:1.5s"`:     worker.Readiness{Kind: worker.ReadyDelay, Delay: 1500 * time.Millisecond},
		`"delay:0"`:        worker.Readiness{Kind: worker.ReadyDelay},
	}, "cannot read ready", `"yes"`, `"http"`, `"http:"`, `"http:readyz"`, `"http:///x"`, `"http://127.0.0.1:9/x"`, `"http:/a b"`, `"exec"`, `"exec:"`, `"exec: "`,
		`"delay"`, `"delay:-1s"`, `"delay:5"`, `"autos"`, `"notify:x"`, `"tcp:80"`)
	keys(t, poolHead, "ready", get, nil, "cannot probe", `"http:/x"`, `"tcp"`)
	keys(t, poolHead+"listen = [\"*\"]\n", "ready", get, map[string]any{`"http:/x"`: ready("/x")}, "cannot probe", `"tcp"`)
}

func TestEnvironment(t *testing.T) {
	text := poolHead + `env_file = ["a.env", "-missing.env"]
credentials = {KEY = "key", FILE = "path:/run/credentials/brood/key", BRACES = "braces"}
[pool.web.env]
B = "of the file"
LIST = "a:b,c;d"
EMPTY = ""
"with space" = "{{.Slot}}"
`
	w := files(map[string]string{
		"/srv/a.env": "A='{{.Slot}}'\nB=lost\n", "/run/credentials/brood/key": "s3cret\n", "/run/credentials/brood/braces": "{{x}}",
	})
	c, err := read(text, w)
	if err != nil {
		t.Fatal(err)
	}
	p := c.Pools[0]
	r, err := worker.NewRecipe(p.Recipe, worker.Facts{Slot: 7})
	if err != nil {
		t.Fatal(err)
	}
	built, err := r.Build(worker.Facts{Slot: 7})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"A={{.Slot}}", "B=of the file", "BRACES={{x}}", "EMPTY=", "FILE=/run/credentials/brood/key", "KEY=s3cret", "LIST=a:b,c;d", "with space=7"}
	var got []string
	for _, v := range built.Env {
		if !strings.HasPrefix(v, "BROOD_") {
			got = append(got, v)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"BRACES", "KEY"}, p.Secrets); diff != "" {
		t.Error(diff)
	}
	if len(p.Sources) != 1 || len(p.Sources["FILE"]) != 64 {
		t.Errorf("sources: %v", p.Sources)
	}
}

// TestDefaults pins what brood run does without flags.
func TestDefaults(t *testing.T) {
	c, err := read(poolHead, brokenWorld())
	if err != nil {
		t.Fatal(err)
	}
	s := c.Pools[0].Spec
	want := machine.Spec{
		Workers: 4, MaxSurge: 1, LastID: math.MaxInt32, ReadyTimeout: time.Minute, Grace: 30 * time.Second, DumpGap: 1200 * time.Millisecond, Trace: 2 * time.Second,
		Backoff: machine.Backoff{Base: 500 * time.Millisecond, Max: 30 * time.Second, StableAfter: time.Minute, RecycleAge: time.Second},
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
	c, err = read(listenerHead+"address = \":80\"\nmode = \"per-slot\"\n", brokenWorld())
	if err != nil {
		t.Fatal(err)
	}
	if s := c.Pools[0].Spec; s.Order != 1 || s.MaxUnavailable != 1 || s.Settle != time.Second {
		t.Errorf("with a per-slot listener: %+v", s)
	}
}

// A change of anything in a hook is seen, and nothing of it can be read from what is said.
func TestHookDigest(t *testing.T) {
	h := Hook{Name: "chat", URL: "https://example.org/s3cret", Headers: map[string]string{"A": "b"}, Attempts: 5}
	other := h
	other.Headers = map[string]string{"A": "c"}
	if h.Digest() == other.Digest() || h.Digest() != (&Hook{Name: "chat", URL: h.URL, Headers: map[string]string{"A": "b"}, Attempts: 5}).Digest() {
		t.Errorf("digests %s and %s", h.Digest(), other.Digest())
	}
	if len(h.Digest()) != 16 {
		t.Errorf("the digest is %q", h.Digest())
	}
}
