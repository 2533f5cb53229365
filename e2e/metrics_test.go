//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/broodctl/brood/internal/testguest"
)

// TestMonitoring: all that the dashboard draws and the alerts watch is in a scrape of a supervisor whose workers serve,
// one of which died, and which were rolled and told to reload.
func TestMonitoring(t *testing.T) {
	t.Parallel()
	port, socket := freePort(t), filepath.Join(t.TempDir(), "http.sock")
	m := manage(t, site(t), served("web", port).with(
		"pool.web.command", list(guestBin(), testguest.Word, "http", "-notify"),
		"pool.web.workers", "{min = 2, max = 4}",
		"supervisor.http", fmt.Sprintf("%q", "unix:"+socket),
	))
	load := startTraffic(t, address(port))
	if err := syscall.Kill(m.status().named("web").Workers[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	m.await("the death", func() bool { p := m.status().named("web"); return p.Restarts == 1 && p.whole() })
	m.must("roll")
	m.must("reload")
	m.must("healthcheck")
	m.must("healthcheck", "--url", "unix:"+socket+":/readyz")

	var scraped map[string]metric
	m.await("figures of the new workers", func() bool { // they are measured every two seconds at most
		scraped = scrape(t, socket)
		return len(scraped["brood_slot_open_fds"].labels["slot"]) == 2
	})
	load.stopLoads()
	for name, want := range map[string]float64{
		"brood_pool_generation": 3, "brood_pool_restarts_total": 1, "brood_pool_rollout_progress_ratio": 1, "brood_pool_desired_slots": 2,
		"brood_pool_ready_slots": 2, "brood_pool_autoscale_max_slots": 4, "brood_config_last_reload_successful": 1, "brood_log_dropped_bytes_total": 0,
	} {
		if got, ok := scraped[name]; !ok || got.value != want {
			t.Errorf("%s is %v, want %v", name, got.value, want)
		}
	}
	example := parseScrape(t, read(t, "../internal/metrics/testdata/exposition.golden"))
	for _, name := range onlyElsewhere() {
		if _, ok := scraped[name]; !ok {
			scraped[name] = example[name] // fails below if there is no such metric at all
		}
	}
	panels := dashboard(t)
	if len(panels) < 20 {
		t.Errorf("%d expressions in the dashboard: this test looks in the wrong places", len(panels))
	}
	for where, expr := range panels {
		checkExpr(t, where, expr, scraped)
	}
	rules := regexp.MustCompile(`- alert: (\w+)\n +expr: (.*)\n`).FindAllStringSubmatch(read(t, "../contrib/prometheus/alerts.yml"), -1)
	if len(rules) < 10 {
		t.Errorf("%d alerts: this test looks in the wrong places", len(rules))
	}
	for _, rule := range rules {
		checkExpr(t, rule[1], rule[2], scraped)
	}
	m.stop()
}

// onlyElsewhere are metrics that need control groups of version 2, workers that count their requests, or [coordination].
func onlyElsewhere() []string {
	return []string{"brood_places_lost", "brood_pool_pressure_ratio", "brood_slot_memory_peak_bytes", "brood_slot_requests_total"}
}

// dashboard has the expressions of the Grafana dashboard, by where they stand.
func dashboard(t *testing.T) map[string]string {
	t.Helper()
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
		Annotations struct {
			List []struct{ Name, Expr, TitleFormat string }
		}
		Templating struct {
			List []struct {
				Name  string
				Query any
			}
		}
	}
	if err := json.Unmarshal([]byte(read(t, "../contrib/grafana/brood.json")), &board); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, p := range board.Panels {
		for i, target := range p.Targets {
			where := fmt.Sprintf("panel %q, %d", p.Title, i)
			all[where] = target.Expr
			checkLegend(t, where, target.LegendFormat, target.Expr)
		}
	}
	for _, a := range board.Annotations.List {
		all["annotation "+a.Name] = a.Expr
	}
	query := regexp.MustCompile(`label_values\((.*), (\w+)\)`)
	for _, v := range board.Templating.List {
		if m := query.FindStringSubmatch(fmt.Sprint(v.Query)); m != nil {
			all["variable "+v.Name] = fmt.Sprintf("max by (%s) (%s)", m[2], m[1])
		}
	}
	return all
}

// checkLegend reports words of a legend that the expression has grouped away.
func checkLegend(t *testing.T, where, legend, expr string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`\{\{(\w+)\}\}`).FindAllStringSubmatch(legend, -1) {
		if by := grouping.FindStringSubmatch(expr); by == nil || !strings.Contains(by[1], m[1]) {
			t.Errorf("%s: the legend has %s, which %s does not have", where, m[1], expr)
		}
	}
}
