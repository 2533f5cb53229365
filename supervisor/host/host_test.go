package host_test

import (
	"errors"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/host"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// A pool made in Go has the defaults of one that is written down.
func TestNewPoolIsWhatAFileSays(t *testing.T) {
	for _, tt := range []struct {
		name      string
		listeners []listener.Config
		text      string
	}{
		{"without a socket", nil, `
			[pool.web]
			command = ["shop", "serve"]`},
		{"on one address", []listener.Config{at(t, "127.0.0.1:8080")}, `
			[listen.http]
			address = "127.0.0.1:8080"
			[pool.web]
			command = ["shop", "serve"]
			listen = ["http"]`},
		{"on ports of their own", []listener.Config{at(t, "127.0.0.1:8080,mode=per-slot")}, `
			[listen.http]
			address = "127.0.0.1:8080"
			mode = "per-slot"
			[pool.web]
			command = ["shop", "serve"]
			listen = ["http"]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			made, err := host.NewPool("web", []string{"shop", "serve"}, tt.listeners...)
			if err != nil {
				t.Fatal(err)
			}
			read, err := host.Parse("shop.toml", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(read.Pools[0], made, cmp.AllowUnexported(worker.ExitSet{})); diff != "" {
				t.Error(diff)
			}
			if len(made.Listen) != len(tt.listeners) || made.Spec.Grace == 0 || made.Spec.Validate() != nil {
				t.Errorf("it cannot run: %+v", made)
			}
		})
	}
}

func TestNewPoolRefuses(t *testing.T) {
	for name, command := range map[string][]string{"": {"shop"}, "web": nil} {
		if p, err := host.NewPool(name, command); err == nil {
			t.Errorf("pool %q of %q is %+v", name, command, p)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, reason := range map[string]string{
		`[pool.web]` + "\n" + `comand = ["shop"]`:                      "comand",
		"[supervisor]\nhttp = ':9180'\n[pool.web]\ncommand = ['shop']": "for the brood command",
		"[pool.web]\ncommand = ['shop']\nuser = 'nobody knows me'":     "nobody knows me",
	} {
		if _, err := host.Parse("shop.toml", []byte(text)); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s\n\tis refused by %v, want %s", text, err, reason)
		}
	}
}

// What stands for systemd's sockets is theirs, in their order, and nothing of what was given is changed.
func TestComplete(t *testing.T) {
	given := plan.Desired{
		Listeners: []listener.Config{at(t, "admin=127.0.0.1:9000")},
		Pools: []plan.Pool{
			{Name: "all", Listen: []string{"admin", host.EverySpare}},
			{Name: "kept", Orphans: worker.OrphanKeep, Log: plan.Log{Mode: "auto"}},
			{Name: "bare", Recipe: worker.RecipeConfig{InheritEnv: []string{"HOME=/"}}},
		},
	}
	t.Setenv("NOTIFY_SOCKET", "/run/notify")
	t.Setenv("SHOP", "open")
	full := host.Complete(given, []listener.Config{at(t, "http=127.0.0.1:8080"), at(t, "https=127.0.0.1:8443")})
	var names []string
	for _, l := range full.Listeners {
		names = append(names, l.Name)
	}
	if diff := cmp.Diff([]string{"admin", "http", "https"}, names); diff != "" {
		t.Errorf("listeners: %s", diff)
	}
	if diff := cmp.Diff(names, full.Pools[0].Listen); diff != "" {
		t.Errorf("of the pool: %s", diff)
	}
	if env := strings.Join(full.Pools[0].Recipe.InheritEnv, " "); !strings.Contains(env, "SHOP=open") || strings.Contains(env, "NOTIFY_SOCKET") {
		t.Errorf("workers inherit %s", env)
	}
	if mode := full.Pools[1].Log.Mode; mode != "inherit" {
		t.Errorf("who outlives us writes by %q", mode)
	}
	if diff := cmp.Diff([]string{"HOME=/"}, full.Pools[2].Recipe.InheritEnv); diff != "" {
		t.Errorf("an environment that was said: %s", diff)
	}
	if len(given.Listeners) != 1 || len(given.Pools[0].Listen) != 2 || given.Pools[0].Recipe.InheritEnv != nil {
		t.Errorf("what was given is now %+v", given)
	}
}

func TestNewRefusesAName(t *testing.T) {
	if _, err := host.New(host.Options{Name: "a/b"}); err == nil {
		t.Error("a supervisor may be called a/b")
	}
}

func TestRunWantsTheMainThread(t *testing.T) {
	ended := make(chan error)
	elsewhere(func() { ended <- (&host.Host{}).Run(t.Context()) })
	if err := <-ended; err == nil || errors.Is(err, host.ErrUnclean) {
		t.Errorf("on another thread it runs: %v", err)
	}
}

// elsewhere runs f on a thread that is not the main one.
func elsewhere(f func()) {
	go func() { // ends with f
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if syscall.Gettid() != syscall.Getpid() {
			f()
			return
		}
		held := make(chan struct{})
		go func() { defer close(held); f() }() // this thread is taken
		<-held
	}()
}

func at(t *testing.T, words string) listener.Config {
	t.Helper()
	l, err := listener.ParseFlag(words)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
