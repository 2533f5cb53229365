package contrib_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/testhost"
)

// promtool is where make deps puts it, or in the PATH.
func promtool(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath("../.bin/promtool"); err == nil {
		if path, err = filepath.Abs(path); err == nil {
			return path
		}
	}
	testhost.Need(t, testhost.Program("promtool"))
	return "promtool"
}

// prometheus runs promtool in the folder of the alerts.
func prometheus(t *testing.T, dir string, words ...string) {
	t.Helper()
	tool := exec.CommandContext(t.Context(), promtool(t), words...)
	tool.Dir = dir
	if out, err := tool.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(words, " "), err, out)
	}
}

// TestAlerts: Prometheus takes them, and they come when they should.
func TestAlerts(t *testing.T) {
	prometheus(t, "prometheus", "check", "config", "prometheus.yml")
	prometheus(t, "prometheus", "check", "rules", "--lint-fatal", "alerts.yml")
	prometheus(t, "prometheus", "test", "rules", "alerts_test.yml")
}

// TestAlertsAreOfUse: each says what is wrong, how urgent it is and what to do, and each is tried.
func TestAlertsAreOfUse(t *testing.T) {
	rules, tries := read(t, "prometheus/alerts.yml"), read(t, "prometheus/alerts_test.yml")
	all := strings.Split(rules, "- alert: ")[1:]
	if len(all) < 10 {
		t.Fatalf("%d alerts: this test looks in the wrong places", len(all))
	}
	for _, text := range all {
		name, _, _ := strings.Cut(text, "\n")
		for _, part := range []string{`severity: (page|ticket)\b`, `summary: "[^"]*\$labels\.instance`, `runbook: ".{40,}"`} {
			if !regexp.MustCompile(part).MatchString(text) {
				t.Errorf("%s has no %s", name, part)
			}
		}
		if !regexp.MustCompile(`alertname[:=] ?"?` + name + `\b.*(firing|,)|alertname: ` + name + `\n`).MatchString(tries) {
			t.Errorf("%s is not tried", name)
		}
	}
}

// panel is one of a dashboard, as far as this test looks.
type panel struct {
	ID          int
	Type        string
	Title       string
	Description string
	GridPos     struct{ X, Y, W, H int }
	Targets     []struct{ Expr string }
}

// TestDashboard: panels do not overlap, say what they are about, and ask what Prometheus understands.
func TestDashboard(t *testing.T) {
	var board struct{ Panels []panel }
	if err := json.Unmarshal([]byte(read(t, "grafana/brood.json")), &board); err != nil {
		t.Fatal(err)
	}
	var rules strings.Builder
	rules.WriteString("groups:\n  - name: dashboard\n    rules:\n")
	for i, p := range board.Panels {
		g := p.GridPos
		if g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > 24 {
			t.Errorf("panel %q does not fit: %+v", p.Title, g)
		}
		if p.Type != "row" && (p.Description == "" || len(p.Targets) == 0) {
			t.Errorf("panel %q shows nothing, or does not say what", p.Title)
		}
		for _, q := range board.Panels[:i] {
			o := q.GridPos
			if g.X < o.X+o.W && o.X < g.X+g.W && g.Y < o.Y+o.H && o.Y < g.Y+g.H || p.ID == q.ID {
				t.Errorf("panels %q and %q are in each other's way", p.Title, q.Title)
			}
		}
		for j, target := range p.Targets {
			expr := strings.NewReplacer("$__rate_interval", "1m", "$", "").Replace(target.Expr)
			fmt.Fprintf(&rules, "      - {record: 'panel%d:%d', expr: '%s'}\n", p.ID, j, strings.ReplaceAll(expr, "'", "''"))
		}
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "rules.yml"), rules.String())
	prometheus(t, dir, "check", "rules", "rules.yml")
}
