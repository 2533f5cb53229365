//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// metric is what a scrape has of one name: its labels, and their values.
type metric struct {
	value  float64 // of the last sample
	labels map[string][]string
}

// scrape asks a unix socket for /metrics.
func scrape(t *testing.T, socket string) map[string]metric {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport, Timeout: patience}).Get("http://brood/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v %s: %s", err, resp.Status, text)
	}
	return parseScrape(t, string(text))
}

var (
	sampleLine = regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? (\S+)$`)
	labelPair  = regexp.MustCompile(`([a-z_]+)="((?:[^"\\]|\\.)*)"`)
)

func parseScrape(t *testing.T, text string) map[string]metric {
	t.Helper()
	all := map[string]metric{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		m := sampleLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			t.Fatalf("not a sample: %q", line)
		}
		found, known := all[m[1]]
		if !known {
			found.labels = map[string][]string{}
		}
		if _, err := fmt.Sscan(m[3], &found.value); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		for _, pair := range labelPair.FindAllStringSubmatch(m[2], -1) {
			found.labels[pair[1]] = append(found.labels[pair[1]], pair[2])
		}
		all[m[1]] = found
	}
	return all
}

// Parts of an expression of PromQL, as far as ours go.
var (
	metricName = regexp.MustCompile(`\b(?:brood|process|go)_[a-z_]+\b`)
	selector   = regexp.MustCompile(`\b([a-z_]+)\{([^}]*)\}`)
	matcher    = regexp.MustCompile(`([a-z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
	grouping   = regexp.MustCompile(`\b(?:by|on)\s*\(([^)]*)\)`)
)

// ofTarget are labels that Prometheus itself adds to what it scrapes.
func ofTarget(label string) bool { return label == "job" || label == "instance" }

// checkExpr reports what an expression wants and a scrape does not have: names, labels, and values of labels.
func checkExpr(t *testing.T, where, expr string, scraped map[string]metric) {
	t.Helper()
	names := metricName.FindAllString(matcher.ReplaceAllString(expr, ""), -1)
	for _, name := range names {
		if _, ok := scraped[name]; !ok {
			t.Errorf("%s: there is no %s", where, name)
		}
	}
	for _, s := range selector.FindAllStringSubmatch(expr, -1) {
		for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
			label, op, value := m[1], m[2], m[3]
			if ofTarget(label) || s[1] == "up" {
				continue
			}
			values, ok := scraped[s[1]].labels[label]
			if !ok {
				t.Errorf("%s: %s has no label %s", where, s[1], label)
			}
			wanted := []string{value}
			if strings.HasSuffix(op, "~") {
				wanted = strings.Split(value, "|")
			}
			for _, word := range wanted {
				if !strings.Contains(word, "$") && !slices.Contains(values, word) {
					t.Errorf("%s: %s{%s=%q} is none of %q", where, s[1], label, word, slices.Compact(slices.Sorted(slices.Values(values))))
				}
			}
		}
	}
	for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
		for label := range strings.SplitSeq(g[1], ",") {
			label = strings.TrimSpace(label)
			for _, name := range names {
				if _, ok := scraped[name].labels[label]; !ok && !ofTarget(label) {
					t.Errorf("%s: %s has no label %s", where, name, label)
				}
			}
		}
	}
}
