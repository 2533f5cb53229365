package metrics

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"

	"github.com/broodctl/brood/internal/logs"
	"github.com/broodctl/brood/supervisor"
)

var update = flag.Bool("update", false, "write the golden files anew")

// full is a snapshot in which there is everything that can be shown.
func full() supervisor.Snapshot {
	started := time.Unix(1700000000, 0)
	usage := func(n uint64) *supervisor.UsageView {
		return &supervisor.UsageView{Memory: n << 20, MemoryPeak: n << 21, CPU: float64(n), Pids: n, FDs: 10 * n}
	}
	queue := func(n uint64) *supervisor.QueueView { return &supervisor.QueueView{Depth: n, Capacity: 128, Drops: 5} }
	share := supervisor.ShareView{Some10: 12.5, Some60: 5, Full10: 1, Full60: 0.5}
	return supervisor.Snapshot{
		Name: "shop", Version: "1.2.3", State: supervisor.StateDegraded, Started: started,
		Config: supervisor.ConfigView{Loaded: started.Add(time.Hour), Reloads: 3, Failures: 1, Reload: &supervisor.ReloadView{State: "failed"}},
		Pools: []supervisor.PoolView{
			{
				Name: "web", State: supervisor.StateDegraded, Generation: 4, Desired: 2, Ready: 1, Restarts: 7,
				Deaths:    map[supervisor.Cause]int{supervisor.CauseDied: 5, supervisor.CauseOOM: 2},
				Repairs:   supervisor.Repairs{Revived: 1, Backlog: 9},
				Pressure:  &supervisor.PressureView{Memory: share, CPU: share},
				Rollout:   &supervisor.RolloutView{Generation: 5, State: "rolling"},
				Autoscale: &supervisor.AutoscaleView{Min: 1, Max: 8},
				Reloads:   supervisor.ReloadsView{Done: 4, Failed: 2, Last: 1.5},
				Listeners: []supervisor.ListenerView{{Name: "http", Queue: &supervisor.QueueView{Depth: 3, Capacity: 512, Drops: 6}}, {Name: "udp"}},
				Workers: []supervisor.WorkerView{
					{Slot: 0, WorkerID: new(0), State: "settling", Ready: true, Generation: 4, Started: started, Usage: usage(3), Queue: queue(2), Connections: new(uint64(8)), Requests: new(uint64(77))},
					{Slot: 0, WorkerID: new(2), State: "ready", Ready: true, Generation: 5, Started: started.Add(time.Minute), Usage: usage(1), Queue: queue(1), Connections: new(uint64(9)), Requests: new(uint64(77))},
					{Slot: 1, State: "waiting", Restarts: 7},
				},
			},
			{Name: "odd \"name\"\n", State: supervisor.StateReady, Unmet: []string{"tcp://db:5432"}, Claims: &supervisor.ClaimsView{Held: 1, Waiting: 1, Lost: 1, Deadline: new(9.5)}},
		},
	}
}

func source(snap supervisor.Snapshot) Source {
	return Source{Snapshot: func() supervisor.Snapshot { return snap }, Logs: output(len(snap.Pools))}
}

// output is that of so many slots.
type output int

func (output) Lost() uint64 { return 42 }

func (n output) Stats() []logs.Stat {
	all := []logs.Stat{{Pool: "web", Slot: logs.NoSlot, Lines: 1}}
	for i := range int(n) {
		all = append(all, logs.Stat{Pool: "web", Slot: i, Lines: 100, Bytes: 5000, LostLines: uint64(i)})
	}
	return all
}

func TestExposition(t *testing.T) {
	snap := full()
	snap.Version = "1.2.3"
	w := scrape(t, Handler(source(snap), zerolog.Nop()), "")
	var own []string
	for line := range strings.Lines(w) {
		if strings.Contains(line, "brood_") && !strings.Contains(line, "brood_build_info{") {
			own = append(own, line)
		}
	}
	got := strings.Join(own, "")
	const path = "testdata/exposition.golden"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-golden +got, -update writes it anew)\n%s", diff)
	}
}

func scrape(t testing.TB, h http.Handler, accept string) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// What is shown has the names and units that Prometheus recommends, and is what was described.
func TestLint(t *testing.T) {
	for name, snap := range map[string]supervisor.Snapshot{"full": full(), "empty": {}} {
		registry := prometheus.NewPedanticRegistry()
		registry.MustRegister(NewCollector(source(snap)))
		problems, err := testutil.GatherAndLint(registry)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s: %s", name, p.Metric, p.Text)
		}
	}
}

// The full snapshot shows every metric that there is, so the other tests leave out none.
func TestNothingIsMissing(t *testing.T) {
	c := NewCollector(source(full()))
	shown := map[*prometheus.Desc]bool{}
	ch := make(chan prometheus.Metric)
	go func() {
		defer close(ch)
		c.Collect(ch)
	}()
	for m := range ch {
		shown[m.Desc()] = true
	}
	for _, desc := range c.catalogue {
		if !shown[desc] {
			t.Errorf("not shown: %s", desc)
		}
	}
}

// The page for users has all of them, with their labels.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/monitoring.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, desc := range NewCollector(source(full())).catalogue {
		m := regexp.MustCompile(`fqName: "(\w+)".*variableLabels: \{([^}]*)\}`).FindStringSubmatch(desc.String())
		if m == nil {
			t.Fatal(desc)
		}
		row := regexp.MustCompile("(?m)^\\|.*`" + m[1] + "`.*$").FindString(string(page))
		for label := range strings.SplitSeq(m[2], ",") {
			if row == "" || label != "" && !strings.Contains(row, "`"+label+"`") {
				t.Errorf("docs/monitoring.md lacks %s with %q: %q", m[1], label, row)
			}
		}
	}
}

func TestFormats(t *testing.T) {
	h := Handler(source(full()), zerolog.Nop())
	if got := scrape(t, h, "application/openmetrics-text; version=1.0.0"); !strings.HasSuffix(got, "# EOF\n") || !strings.Contains(got, "\nbrood_slot_cpu_seconds_total{") {
		t.Errorf("OpenMetrics:\n%s", got)
	}
	for _, name := range []string{"\nprocess_cpu_seconds_total ", "\ngo_goroutines ", `pool="odd \"name\"\n"`} {
		if got := scrape(t, h, ""); !strings.Contains(got, name) {
			t.Errorf("no %s", name)
		}
	}
}

// Scrapes that come together share one picture.
func TestBurst(t *testing.T) {
	var taken atomic.Int32
	h := Handler(Source{Snapshot: func() supervisor.Snapshot {
		taken.Add(1)
		return full()
	}, Logs: output(1)}, zerolog.Nop())
	for range 50 {
		scrape(t, h, "")
	}
	if n := taken.Load(); n > 3 {
		t.Errorf("50 scrapes took %d pictures", n)
	}
}

// many is a supervisor with n workers.
func many(n int) supervisor.Snapshot {
	snap := full()
	p := &snap.Pools[0]
	p.Workers = nil
	for i := range n {
		p.Workers = append(p.Workers, supervisor.WorkerView{
			Slot: i, WorkerID: new(i), State: "ready", Ready: true, Generation: 5, Started: time.Unix(1700000000, 0),
			Usage: &supervisor.UsageView{Memory: 50 << 20, MemoryPeak: 60 << 20, CPU: 1.25, Pids: 1, FDs: 20},
			Queue: &supervisor.QueueView{Capacity: 128}, Connections: new(uint64(3)),
		})
	}
	return snap
}

func BenchmarkScrape(b *testing.B) {
	for _, n := range []int{4, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			registry := prometheus.NewRegistry()
			registry.MustRegister(NewCollector(source(many(n))))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := registry.Gather(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("%d-again", n), func(b *testing.B) {
			h := Handler(source(many(n)), zerolog.Nop())
			size := len(scrape(b, h, ""))
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/metrics", http.NoBody)
				h.ServeHTTP(discard{http.Header{}}, r)
			}
			b.ReportMetric(float64(size), "bytes/scrape")
		})
	}
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return io.Discard.Write(b) }
func (d discard) WriteHeader(int)             {}
