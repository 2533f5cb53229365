package worker

import (
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const rest = " 1 6 5 0 -1 4194304 99 0 0 0 12 3 400 5 20 0 1 0 77 8192 3 0"
	want := func(state byte) stat {
		return stat{state: state, parent: 1, group: 6, cpu: 4200 * time.Millisecond, resident: 3 * uint64(os.Getpagesize())}
	}
	tests := []struct {
		in   string
		want stat
	}{
		{"7 (node) S" + rest, want('S')},
		{"7 (node) S" + rest + "\n", want('S')},
		{"7 (a) R (b) T" + rest, want('T')},
		{"7 () T 1 2 ()\n) t" + rest, want('t')},
	}
	for _, tt := range tests {
		if got, err := parseStat([]byte(tt.in)); err != nil || got != tt.want {
			t.Errorf("%q: got %+v, %v", tt.in, got, err)
		}
	}
	for _, in := range []string{
		"", "7 (x", "7 (x)", "7 (x) S", "7 (x) S" + rest[:30], "7 (x) SS" + rest,
		"7 (x) S" + strings.TrimSuffix(rest, " 3 0"), "7 (x) S" + strings.Replace(rest, " 1 6", " x 6", 1), "7 (x) S" + strings.Replace(rest, " 1 6", " 1 x", 1),
		"7 (x) S" + strings.Replace(rest, " 3 0", " -1 0", 1), "7 (x) S" + strings.Replace(rest, " 3 0", " 18446744073709551615 0", 1),
		"7 (x) S" + strings.Replace(rest, "400", "-400", 1), "7 (x) S" + strings.Replace(rest, "400", "9223372036854775807", 1),
	} {
		if got, err := parseStat([]byte(in)); !errors.Is(err, errStat) {
			t.Errorf("%q: got %+v, %v", in, got, err)
		}
	}
}

// Whatever a process calls itself, state and time are those after its name.
func FuzzParseStat(f *testing.F) {
	f.Add("node", "S 1 7 7 0 -1 4194304 99 0 0 0 12 3 400 5 20 0 1 0 77 8192 3")
	f.Add(") R (", "T 1 7 7 0 -1 4194304 99 0 0 0 0 0 0 0 20 0 1 0 77 8192 3")
	f.Add("a\n) S 1", "Z 1 7 7 0 -1 4194304 99 0 0 0 9223372036854775807 3 400 5 20 0 1 0 77 8192 3")
	f.Add("", "R")
	f.Fuzz(func(t *testing.T, name, rest string) {
		got, err := parseStat([]byte("7 (" + name + ") " + rest))
		if err != nil {
			if !errors.Is(err, errStat) || got != (stat{}) {
				t.Fatalf("%q %q: %+v, %v", name, rest, got, err)
			}
			return
		}
		if got.cpu < 0 {
			t.Fatalf("%q %q: %v of CPU", name, rest, got.cpu)
		}
		if strings.Contains(rest, ")") { // then the name ended there
			return
		}
		plain, err := parseStat([]byte("7 (x) " + rest))
		if err != nil || plain != got {
			t.Fatalf("%q %q: %+v as x, %+v by its name", name, rest, plain, got)
		}
	})
}

func TestParseSizes(t *testing.T) {
	rollup := "55a2208c8000-7fff1d9d3000 ---p 00000000 00:00 0                          [rollup]\nRss:   1716 kB\nPss:   326 kB\nPss_Dirty:  112 kB\nSwapPss:  7 kB\n"
	if got, err := parseRollup([]byte(rollup)); err != nil || got != 326<<10 {
		t.Errorf("got %d, %v", got, err)
	}
	if got, err := parseStatm([]byte("766 381 333 5 0 93 0\n")); err != nil || got != 381 {
		t.Errorf("got %d, %v", got, err)
	}
	for _, in := range []string{"", "Rss: 1 kB\n", "Pss: 1\n", "Pss: 1 MB\n", "Pss: -1 kB\n", "Pss: 18446744073709551615 kB\n"} {
		if got, err := parseRollup([]byte(in)); !errors.Is(err, errSizes) {
			t.Errorf("%q: got %d, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "1", "1 -1", "1 x", "1 18446744073709551615"} {
		if got, err := parseStatm([]byte(in)); !errors.Is(err, errSizes) {
			t.Errorf("%q: got %d, %v", in, got, err)
		}
	}
}

// No size is more than what a sum of thousands of them can hold.
func FuzzParseSizes(f *testing.F) {
	f.Add("Rss: 1716 kB\nPss:   326 kB\n")
	f.Add("Pss: 18014398509481983 kB")
	f.Add("766 381 333 5 0 93 0\n")
	f.Fuzz(func(t *testing.T, text string) {
		size, err := parseRollup([]byte(text))
		if size > math.MaxInt64 || err != nil && (size != 0 || !errors.Is(err, errSizes)) {
			t.Fatalf("%q: %d, %v", text, size, err)
		}
		pages, err := parseStatm([]byte(text))
		if pages > math.MaxInt64/uint64(os.Getpagesize()) || err != nil && (pages != 0 || !errors.Is(err, errSizes)) {
			t.Fatalf("%q: %d pages, %v", text, pages, err)
		}
	})
}
