package worker_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/broodctl/brood/worker"
)

func sampleFacts() worker.Facts {
	return worker.Facts{
		Pool: "web", Slot: 2, Workers: 4, WorkerID: 1007, Generation: 3,
		Listeners: []worker.ListenerFact{
			{Name: "dns", FD: 4, Port: 53, Datagram: true, Addr: "127.0.0.1:53"},
			{Name: "http", FD: 3, Port: 8080, Addr: "127.0.0.1:8080"},
			{Name: "own", FD: -1, Port: 9002, Addr: "127.0.0.1:9002"},
			{Name: "my-sock", FD: 5, Addr: "/run/x.sock"},
		},
		NotifySocket: "@brood-x", WatchdogUsec: 5000000,
	}
}

func TestBuild(t *testing.T) {
	r, err := worker.NewRecipe(worker.RecipeConfig{
		Argv: []string{
			"server", "--fd={{.FD.http}}", "{{.WorkerID}}/{{.Slot}}/{{.Workers}}/{{.Generation}}/{{.Pool}}", "a:,;=b", "", "}}",
			`{{.Port.own}} {{.Addr.http}} {{index .Addr "my-sock"}}`,
		},
		Env:         []worker.Var{{"A", "1"}, {"LISTS", "x:y,z;a=b="}, {"EMPTY", ""}, {"A", "{{.Slot}}"}},
		InheritEnv:  []string{"HOME=/", "A=inherited", "PORT=1", "ODD", "=C:=x", "WORKER_ID=9"},
		Dir:         "/srv/{{.Pool}}",
		WorkerIDEnv: []string{"WORKER_ID", "ID2"},
		FDsEnv:      []string{"FDS"},
	}, sampleFacts())
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Build(sampleFacts())
	if err != nil {
		t.Fatal(err)
	}
	wantArgv := []string{"server", "--fd=3", "1007/2/4/3/web", "a:,;=b", "", "}}", "9002 127.0.0.1:8080 /run/x.sock"}
	const fds = `{"dns":"/dev/fd/4","http":"/dev/fd/3","my-sock":"/dev/fd/5"}`
	wantEnv := []string{
		"HOME=/", "ODD", "=C:=x",
		"BROOD_WORKER_ID=1007", "BROOD_SLOT=2", "BROOD_WORKERS=4", "BROOD_POOL=web", "BROOD_GENERATION=3", "BROOD_FDS=" + fds,
		"WORKER_ID=1007", "ID2=1007", "FDS=" + fds,
		"LISTEN_FDS=3", "LISTEN_PID=", "LISTEN_FDNAMES=http:dns:my-sock",
		"NOTIFY_SOCKET=@brood-x", "WATCHDOG_USEC=5000000", "WATCHDOG_PID=",
		"PORT=8080",
		"LISTS=x:y,z;a=b=", "EMPTY=", "A=2",
	}
	if diff := cmp.Diff(wantArgv, b.Argv) + cmp.Diff(wantEnv, b.Env) + cmp.Diff("/srv/web", b.Dir); diff != "" {
		t.Error(diff)
	}
}

func TestPort(t *testing.T) {
	tcp := worker.ListenerFact{Name: "http", FD: 3, Port: 8080}
	udp := worker.ListenerFact{Name: "dns", FD: 3, Port: 53, Datagram: true}
	inherited, users := []string{"PORT=1"}, []worker.Var{{"PORT", "{{.Slot}}"}}
	tests := []struct {
		name      string
		inherit   []string
		env       []worker.Var
		listeners []worker.ListenerFact
		want      string
	}{
		{"nothing", nil, nil, nil, ""},
		{"listener", nil, nil, []worker.ListenerFact{tcp}, "PORT=8080"},
		{"datagrams do not count", nil, nil, []worker.ListenerFact{udp}, ""},
		{"listener beats inherited", inherited, nil, []worker.ListenerFact{tcp}, "PORT=8080"},
		{"inherited without listener", inherited, nil, []worker.ListenerFact{udp}, "PORT=1"},
		{"user beats all", inherited, users, []worker.ListenerFact{tcp}, "PORT=0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := worker.Facts{Listeners: tt.listeners}
			r, err := worker.NewRecipe(worker.RecipeConfig{Argv: []string{"x"}, InheritEnv: tt.inherit, Env: tt.env}, f)
			if err != nil {
				t.Fatal(err)
			}
			b, err := r.Build(f)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, v := range b.Env {
				if strings.HasPrefix(v, "PORT=") {
					got = append(got, v)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDirectHasNoPIDs(t *testing.T) {
	r, err := worker.NewRecipe(worker.RecipeConfig{Argv: []string{"x"}, Direct: true}, sampleFacts())
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Build(sampleFacts())
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(b.Env, "\n")
	if strings.Contains(text, "LISTEN_") || strings.Contains(text, "_PID") || !strings.Contains(text, "WATCHDOG_USEC=5000000") {
		t.Errorf("got\n%s", text)
	}
}

func TestNewRecipeRefuses(t *testing.T) {
	tests := map[string]worker.RecipeConfig{
		"no command":            {},
		"empty program":         {Argv: []string{""}},
		"program becomes empty": {Argv: []string{"{{if false}}x{{end}}"}},
		"syntax":                {Argv: []string{"x", "{{.Slot"}},
		"unknown field":         {Argv: []string{"x", "{{.Slots}}"}},
		"unknown listener":      {Argv: []string{"x", "{{.FD.https}}"}},
		"unknown by index":      {Argv: []string{"x", `{{index .FD "https"}}`}},
		"no descriptor":         {Argv: []string{"x", "{{.FD.own}}"}},
		"no port":               {Argv: []string{"x", `{{index .Port "my-sock"}}`}},
		"in env":                {Argv: []string{"x"}, Env: []worker.Var{{"A", "{{.Nope}}"}}},
		"in dir":                {Argv: []string{"x"}, Dir: "{{.Nope}}"},
		"private name":          {Argv: []string{"x"}, Env: []worker.Var{{"BROOD_SLOT", "1"}}},
		"private second name":   {Argv: []string{"x"}, WorkerIDEnv: []string{"LISTEN_PID"}},
		"bad name":              {Argv: []string{"x"}, Env: []worker.Var{{"A=B", "1"}}},
		"no name":               {Argv: []string{"x"}, FDsEnv: []string{""}},
		"name for two things":   {Argv: []string{"x"}, FDsEnv: []string{"A"}, WorkerIDEnv: []string{"A"}},
		"name already set":      {Argv: []string{"x"}, FDsEnv: []string{"A"}, Env: []worker.Var{{"A", "1"}}},
		"NUL":                   {Argv: []string{"x", "\x00"}},
	}
	for name, cfg := range tests {
		if _, err := worker.NewRecipe(cfg, sampleFacts()); !errors.Is(err, worker.ErrRecipe) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, listeners := range [][]worker.ListenerFact{
		{{Name: "a", FD: 4}}, {{Name: "a", FD: 3}, {Name: "b", FD: 3}}, {{Name: "a:b", FD: 3}}, {{Name: "ä", FD: 3}},
	} {
		if _, err := worker.NewRecipe(worker.RecipeConfig{Argv: []string{"x"}}, worker.Facts{Listeners: listeners}); err == nil {
			t.Errorf("accepted %+v", listeners)
		}
	}
}

func TestCleanEnviron(t *testing.T) {
	got := worker.CleanEnviron([]string{"A=1", "LISTEN_FDS=1", "BROOD_POOL=x", "NOTIFY_SOCKET=/x", "WATCHDOG_PID=1", "LISTEN_PIDFDID=1", "B", "PATH=/bin"})
	if diff := cmp.Diff([]string{"A=1", "B", "PATH=/bin"}, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzFDs: the object of descriptors has each listener by its name, whatever signs are in it.
func FuzzFDs(f *testing.F) {
	for _, name := range []string{"https", `a"b`, `\`, `\u0022`, "</script>&", "lactoserv.socket-2", "{}", "'"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		facts := worker.Facts{Pool: "web", Workers: 1, Listeners: []worker.ListenerFact{{Name: "http", FD: 3}, {Name: name, FD: 4}}}
		r, err := worker.NewRecipe(worker.RecipeConfig{Argv: []string{"x"}, FDsEnv: []string{"LACTOSERV_FDS"}}, facts)
		if err != nil || name == "http" {
			return
		}
		b, err := r.Build(facts)
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(b.Env, func(v string) bool { return strings.HasPrefix(v, "LACTOSERV_FDS=") })
		var got map[string]string
		if err := json.Unmarshal([]byte(strings.TrimPrefix(b.Env[at], "LACTOSERV_FDS=")), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"http": "/dev/fd/3", name: "/dev/fd/4"}, got); diff != "" {
			t.Error(diff)
		}
	})
}
