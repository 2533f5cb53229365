package logs

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Little by little comes the same as at once, whoever wrote it in whatever pieces.
func TestKeptIsWhatIsRecent(t *testing.T) {
	pieces := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) record {
		text := rapid.StringMatching(`[ab\n]{1,9}`).Draw(t, "unit")
		return record{
			stream: standard(rapid.IntRange(0, 1).Draw(t, "stream")),
			text:   []byte(strings.Repeat(text, rapid.SampledFrom([]int{1, 2, 300, 3000, 9000}).Draw(t, "times"))),
		}
	}), 1, 12)
	rapid.Check(t, func(t *rapid.T) {
		m := New(Options{Stdout: 1, Stderr: 2})
		defer m.Close(t.Context())
		now := int64(0)
		for slot := range 3 {
			r := m.source(place{"web", slot}).record(slot, 0)
			for _, rec := range pieces.Draw(t, "pieces") {
				now += 1000
				rec.at = now
				r.add(rec, strings.Count(string(rec.text), "\n"))
			}
			if rapid.Bool().Draw(t, "closed") {
				r.close()
			}
		}
		f := Filter{Stream: rapid.SampledFrom([]string{"", "stderr"}).Draw(t, "stream"), Since: time.Unix(0, rapid.Int64Range(0, now).Draw(t, "since"))}
		want, got := m.Recent(f), slices.Collect(m.Kept(f))
		for _, lines := range [][]Line{want, got} { // lines that were begun together may come one or the other way around
			slices.SortStableFunc(lines, func(a, b Line) int {
				return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Slot, b.Slot), cmp.Compare(a.Stream, b.Stream))
			})
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%d lines, want %d", len(got), len(want))
		}
	})
}

// Who takes his time while much is written sees each line once, or is told that it was missed.
func TestSlowReaderOfWhatIsKept(t *testing.T) {
	h := newHouse(t)
	write := func(slot, from, to int) {
		r := h.Mux.source(place{"web", slot}).live[0]
		var text strings.Builder
		for i := from; i <= to; i++ {
			fmt.Fprintf(&text, "%d\n", i)
		}
		r.add(record{at: time.Now().UnixNano(), text: []byte(text.String())}, to-from+1)
	}
	for slot := range 2 {
		h.open(t, fmt.Sprintf("web.%d", slot), Tail)
		write(slot, 1, 5000)
	}
	next, stop := iter.Pull(h.Kept(Filter{}))
	defer stop()
	last, lost := [2]int{}, false
	for n := 0; ; n++ {
		if n == 3000 { // in the midst of a record, which is overwritten
			for i := range 10 {
				write(0, 5001+i*2000, 7000+i*2000)
			}
		}
		l, ok := next()
		if !ok {
			break
		}
		var number int
		if _, err := fmt.Sscan(l.Text, &number); err != nil {
			t.Fatal(err)
		}
		if number != last[l.Slot]+int(l.Missed)+1 || l.Number != uint64(number) {
			t.Fatalf("slot %d: %d (%d) follows %d, and %d were missed", l.Slot, number, l.Number, last[l.Slot], l.Missed)
		}
		lost = lost || l.Missed > 0
		last[l.Slot] = number
	}
	if last[1] != 5000 || lost && last[0] < 5000 {
		t.Errorf("read up to %v", last)
	}
}
