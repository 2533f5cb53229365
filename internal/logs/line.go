package logs

import (
	"math"
	"slices"
	"time"
)

// standard is one of the two standard streams.
type standard uint8

const (
	stdout standard = iota
	stderr
)

// String is the word that users know it by.
func (s standard) String() string {
	if s == stderr {
		return "stderr"
	}
	return "stdout"
}

// Line is one line of a worker's output.
type Line struct {
	Time     time.Time // when its first bytes were read
	Pool     string
	Slot     int // or NoSlot
	WorkerID int
	PID      int    // 0 if it was not known yet
	Stream   string // stdout, stderr
	// Handle is that of the worker's stream, see [Stream.Handle], and Number counts the lines of it from 1, those of stdout and stderr
	// together, by their ends. Both stay when the program is replaced: who comes back knows what he has seen.
	Handle int
	Number uint64
	// Text is what was written, byte for byte, without the newline: it may hold escape sequences, and bytes that are no
	// UTF-8. A line whose beginning is kept no more begins with "…".
	Text string
	// Missed is how many lines of the same worker came before this one that the reader will not see.
	Missed uint64
}

// Filter says which lines are asked for.
type Filter struct {
	Pool   string    // "" is every pool
	Slot   *int      // nil is every slot
	Stream string    // stdout or stderr; "" is both
	Since  time.Time // lines that were kept before somebody asked must not be older
	Last   int       // of those, at most so many; 0 is all
}

func (f Filter) has(at place) bool {
	return (f.Pool == "" || f.Pool == at.pool) && (f.Slot == nil || *f.Slot == at.slot)
}

// newest picks what is asked for from lines that were kept, and puts them in the order of time.
func (f Filter) newest(lines []Line) []Line {
	lines = inOrder(slices.DeleteFunc(lines, func(l Line) bool { return l.Time.Before(f.Since) || !f.hears(&l) }))
	if f.Last > 0 && len(lines) > f.Last {
		lines = lines[len(lines)-f.Last:]
	}
	return lines
}

func (f Filter) hears(l *Line) bool { return f.Stream == "" || f.Stream == l.Stream }

// few is how many lines may come together before those that are not asked for are let go of.
func (f Filter) few() int {
	if f.Last == 0 {
		return math.MaxInt
	}
	return 2*min(f.Last, math.MaxInt/4) + fewLines
}

// fewLines cost less to keep than to put in order.
const fewLines = 10_000

func inOrder(lines []Line) []Line {
	slices.SortStableFunc(lines, func(a, b Line) int { return a.Time.Compare(b.Time) })
	return lines
}

// Recent returns the lines that are kept, oldest first: of each slot the last 64 KiB, also of workers that are gone. A
// line that has no end yet is among them. It never waits.
func (m *Mux) Recent(f Filter) []Line {
	var lines []Line
	var scratch []byte
	for _, r := range m.recorders(f) {
		c := oldest(r)
		keep := func(l Line) { lines = append(lines, l) }
		scratch = c.read(scratch[:0], keep)
		c.flush(keep)
		if len(lines) > f.few() {
			lines = f.newest(lines)
		}
	}
	return f.newest(lines)
}
