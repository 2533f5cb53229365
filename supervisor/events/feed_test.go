package events

import (
	"encoding/json"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func fill(f *Feed, n int) {
	for i := range n {
		f.Add(Event{Kind: Worker, PID: i + 1})
	}
}

func TestFeedSince(t *testing.T) {
	for name, tt := range map[string]struct {
		added         int
		since         uint64
		first         uint64
		count, missed uint64
	}{
		"nothing has happened":          {0, 0, 0, 0, 0},
		"from the beginning":            {5, 0, 1, 5, 0},
		"from the middle":               {5, 3, 4, 2, 0},
		"up to date":                    {5, 5, 0, 0, 0},
		"of another supervisor":         {5, 99, 1, 5, 0},
		"as much as is kept":            {Kept, 0, 1, Kept, 0},
		"one is lost":                   {Kept + 1, 0, 2, Kept, 1},
		"one is lost, and not to us":    {Kept + 1, 1, 2, Kept, 0},
		"many are lost":                 {3*Kept + 7, 5, 2*Kept + 8, Kept, 2*Kept + 2},
		"around the end of the ring":    {Kept + 10, Kept - 5, Kept - 4, 15, 0},
		"behind the end of the ring":    {Kept + 10, Kept + 3, Kept + 4, 7, 0},
		"exactly at the end of a round": {2 * Kept, 2*Kept - 2, 2*Kept - 1, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := NewFeed()
			fill(f, tt.added)
			got, missed := f.Since(tt.since)
			if uint64(len(got)) != tt.count || missed != tt.missed {
				t.Fatalf("%d events and %d missed, want %d and %d", len(got), missed, tt.count, tt.missed)
			}
			for i, e := range got {
				if e.ID != tt.first+uint64(i) || uint64(e.PID) != e.ID {
					t.Fatalf("event %d is number %d, the %dth that was added", i, e.ID, e.PID)
				}
			}
		})
	}
}

// Readers that come back with the number of the last event see each event once, in order, or are told of the gap.
func TestFeedIsReadWithoutGaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := NewFeed()
		var seen, missed uint64
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, Kept+Kept/2), 1, 6).Draw(t, "bursts") {
			fill(f, n)
			got, lost := f.Since(seen)
			missed += lost
			for i, e := range got {
				if e.ID != seen+lost+uint64(i)+1 {
					t.Fatalf("%d follows %d, and %d were missed", e.ID, seen, lost)
				}
			}
			seen += lost + uint64(len(got))
		}
		if seen != f.Last() {
			t.Fatalf("saw %d of %d", seen, f.Last())
		}
	})
}

func TestFeedWakesReaders(t *testing.T) {
	f := NewFeed()
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for seen := uint64(0); seen < 1000; {
				<-f.Changed(seen)
				got, _ := f.Since(seen)
				seen += uint64(len(got))
			}
		})
	}
	fill(f, 1000)
	readers.Wait()
}

// A number of another supervisor is waited for like 0, also before anything has happened: nobody finds news that he cannot take.
func TestFeedOfAnotherLife(t *testing.T) {
	f := NewFeed()
	changed := f.Changed(99)
	select {
	case <-changed:
		t.Fatal("there is news, and nothing has happened")
	default:
	}
	fill(f, 1)
	<-changed
	<-f.Changed(99)
	if got, missed := f.Since(99); len(got) != 1 || missed != 0 {
		t.Errorf("%v, %d missed", got, missed)
	}
}

func TestEventJSONLeavesOutWhatMeansNothing(t *testing.T) {
	f := NewFeed()
	f.Add(Event{Kind: Scale, Pool: "web", Slot: new(0), Workers: 3, Before: 2})
	got, _ := f.Since(0)
	text, err := json.Marshal(got[0])
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	if want := []string{"before", "event", "id", "pool", "slot", "time", "workers"}; !slices.Equal(keys, want) {
		t.Errorf("keys %v, want %v", keys, want)
	}
}

func BenchmarkAdd(b *testing.B) {
	f := NewFeed()
	b.ReportAllocs()
	for b.Loop() {
		f.Add(Event{Kind: Worker})
	}
}
