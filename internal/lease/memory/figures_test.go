package memory_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/lease/memory"
)

var update = flag.Bool("update", false, "write the table of docs/scale.md")

const page = "../../../docs/scale.md"

// figure is what a phase of a fleet's life came to.
type figure struct {
	name   string
	lasts  time.Duration
	counts memory.Counts
	peak   int // requests in one second
}

// phase measures what is done.
func (f *fleet) phase(name string, do func()) figure {
	begun, before := time.Now(), f.server.Counts()
	over, peak := make(chan struct{}), make(chan int)
	go func() {
		highest, last := 0, before.Requests()
		for ended := false; !ended; {
			select {
			case <-time.After(time.Second):
			case <-over:
				ended = true
			}
			now := f.server.Counts().Requests()
			highest, last = max(highest, now-last), now
		}
		peak <- highest
	}()
	do()
	close(over)
	return figure{name: name, lasts: time.Since(begun), counts: f.server.Counts().Since(before), peak: <-peak}
}

// row is a line of the table.
func (f figure) row() string {
	seconds := max(f.lasts.Seconds(), 1)
	writes := f.counts.Grants + f.counts.Takes - f.counts.Refused + f.counts.Notes + f.counts.Drops
	return fmt.Sprintf("| %s | %.1f | %d | %.0f | %d | %d | %d | %d | %d | %d |\n", f.name, f.lasts.Seconds(), f.counts.Requests(),
		float64(f.counts.Requests())/seconds, f.peak, writes, f.counts.Renewals, f.counts.Refused, f.counts.Entries, f.counts.News)
}

const (
	head = "| phase | seconds | requests | a second | most in a second | writes | renewals | claims in vain | places read | news sent |\n" +
		"|---|---|---|---|---|---|---|---|---|---|\n"
	columns, peakColumn = 9, 3 // of numbers
	begins, ends        = "<!-- %d supervisors, written by internal/lease/memory -->\n", "<!-- end -->\n"
)

var number = regexp.MustCompile(`\b\d+(\.\d+)?\b`)

// compare holds the figures against the page. They vary a little, because the order of what is random does: a third
// more or less is the same, and what falls into one second may be twice as much.
func compare(t *testing.T, all []figure) {
	t.Helper()
	table := head
	for _, f := range all {
		table += f.row()
		t.Logf("%s: %v, %v", f.name, f.lasts, f.counts)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	begins := fmt.Sprintf(begins, *supervisors)
	before, rest, _ := strings.Cut(string(text), begins)
	was, after, found := strings.Cut(rest, ends)
	if !found {
		t.Fatalf("%s has no place for the table", page)
	}
	if *update {
		if err := os.WriteFile(page, []byte(before+begins+table+ends+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	now, then := number.FindAllString(table, -1), number.FindAllString(was, -1)
	if number.ReplaceAllString(table, "") != number.ReplaceAllString(was, "") {
		t.Fatalf("another table than in %s (-update writes it):\n%s", page, table)
	}
	for i := range now {
		a, b := value(t, now[i]), value(t, then[i])
		part := 0.3
		if i%columns == peakColumn {
			part = 0.6
		}
		if math.Abs(a-b) > max(20, part*max(a, b)) {
			t.Errorf("%s instead of %s in %s (-update writes it):\n%s", now[i], then[i], page, table)
		}
	}
}

func value(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
