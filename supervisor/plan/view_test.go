package plan_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/plan"
)

var update = flag.Bool("update", false, "write the golden files anew")

// views are plans as people and programs see them.
var views = []struct {
	name   string
	before plan.Desired
	after  plan.Desired
	hear   map[string]plan.Hearing
}{
	{
		"unchanged",
		desired(listeners(web("http", 80)), pool("a", "http"), pool("b"), pool("c"), pool("d")),
		desired(listeners(web("http", 80)), pool("a", "http"), pool("b"), pool("c"), pool("d")),
		map[string]plan.Hearing{"a": plan.Signal, "b": plan.Untouched, "c": plan.Replaced},
	},
	{
		"everything",
		desired(
			listeners(web("http", 80), web("admin", 81), socket("s", "/run/s.sock")),
			pool("web", "http"), pool("queue"), pool("admin", "admin"), pool("kept", "s"), pool("told"), pool("timed"),
		),
		desired(
			listeners(web("http", 80), backlog(socket("s", "/run/s.sock")), web("api", 82)),
			but(command(after(pool("web", "http", "api"), "queue")), func(p *plan.Pool) { p.Spec.Workers = 4 }),
			but(pool("queue"), func(p *plan.Pool) { p.Spec.Workers = 1 }),
			pool("kept", "s"), pool("told"),
			but(pool("timed"), func(p *plan.Pool) { p.Spec.Grace++ }),
			after(pool("new"), "web"),
		),
		map[string]plan.Hearing{"kept": plan.Untouched, "told": plan.Signal},
	},
}

func backlog(l listener.Config) listener.Config {
	l.Backlog = 64
	return l
}

func TestViewsOfPlans(t *testing.T) {
	for _, tt := range views {
		t.Run(tt.name, func(t *testing.T) {
			p, err := plan.Compare(tt.before, tt.after, nil)
			if err != nil {
				t.Fatal(err)
			}
			v := p.View(func(pool string) plan.Hearing { return tt.hear[pool] })
			var text strings.Builder
			if err := v.Print(&text); err != nil {
				t.Fatal(err)
			}
			checkGolden(t, tt.name+".txt", text.String())
			data, err := json.MarshalIndent(v, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			checkGolden(t, tt.name+".json", string(data)+"\n")
		})
	}
}

func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
	}
}
