package host

import (
	"strings"
	"testing"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/plan"
)

// What was made in Go is held to what a file is held to, before anything is opened.
func TestFit(t *testing.T) {
	at := func(words string) listener.Config {
		l, err := listener.ParseFlag(words)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	http, shared, unix := at("http=:8080"), at("http=:8080,mode=shared"), at("http=unix:/run/shop.sock")
	pool := func(name string, listen, after []string) plan.Pool {
		return plan.Pool{Name: name, Listen: listen, After: after}
	}
	listen := func(l ...listener.Config) []listener.Config { return l }
	both := []plan.Pool{pool("web", []string{"http"}, nil), pool("api", []string{"http"}, nil)}
	for name, tt := range map[string]struct {
		listeners []listener.Config
		pools     []plan.Pool
		want      string
	}{
		"two of a name": {nil, []plan.Pool{pool("web", nil, nil), pool("web", nil, nil)}, "another pool has this name"},
		"no name":       {nil, []plan.Pool{{}}, "pool 1 of 1: it has no name"},
		"no listener":   {nil, []plan.Pool{pool("web", []string{"http"}, nil)}, `there is no listener "http"`},
		"unused":        {listen(http), []plan.Pool{pool("web", nil, nil)}, "listener http: it is in the Listen of no pool"},
		"two in one":    {listen(http), both, "listener http is pool web's already"},
		"all for two":   {nil, []plan.Pool{pool("web", []string{"*"}, nil), pool("api", []string{"*"}, nil)}, "* is pool web's already"},
		"after nobody":  {nil, []plan.Pool{pool("web", nil, []string{"db"})}, `it comes after pool "db", and there is none`},
		"after itself":  {nil, []plan.Pool{pool("web", nil, []string{"web"})}, `pools ["web"] wait`},
		"a circle": {nil, []plan.Pool{
			pool("free", nil, nil), pool("web", nil, []string{"db", "free"}), pool("db", nil, []string{"web"}),
		}, `cannot run pool web: pools ["web" "db"] wait for each other`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := (&Host{}).Supervise(plan.Desired{Listeners: tt.listeners, Pools: tt.pools})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("it says %v, want %s", err, tt.want)
			}
		})
	}
	for _, l := range []listener.Config{shared, unix} {
		if err := fit(&plan.Desired{Listeners: listen(l), Pools: both}); err != nil {
			t.Errorf("two pools on %s: %v", l.Address, err)
		}
	}
}
