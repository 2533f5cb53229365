package control

import (
	"encoding/binary"
	"hash/maphash"
	"strconv"
	"time"
)

const (
	// heardTime is how far back lines are remembered. They come in the order of their beginnings, but for those of workers
	// that write at the same time and for those that take their time.
	heardTime = 10 * time.Second
	// heardMost bounds how many that are: of more, those that are nearer.
	heardMost = 1 << 16
)

// heard are the lines that came last, so that none comes again when a stream goes on with the next program: it is asked for
// what was written a little earlier than the last line, and leaves out what was heard.
type heard struct {
	seed  maphash.Seed
	from  time.Time // what was written before is not asked for
	count map[uint64]int
	order []heardLine    // by arrival
	left  map[uint64]int // of those that come again
}

type heardLine struct {
	at  time.Time
	sum uint64
}

func newHeard(begun time.Time) *heard {
	return &heard{seed: maphash.MakeSeed(), from: begun, count: map[uint64]int{}}
}

// isNew takes note of a line, and reports whether it has not been heard in a stream before this one.
func (h *heard) isNew(l *LogLine) bool {
	sum := h.sum(l)
	if h.left[sum] > 0 {
		h.left[sum]--
		return false
	}
	if len(h.order) == 0 && l.Time.Before(h.from) {
		h.from = l.Time // of those that are kept the first: what was before it was not wanted
	}
	h.order = append(h.order, heardLine{l.Time, sum})
	h.count[sum]++
	for len(h.order) > heardMost || l.Time.Sub(h.order[0].at) > heardTime {
		h.forget()
	}
	return true
}

// forget drops the line that was heard first. Nothing as old is asked for again.
func (h *heard) forget() {
	old := h.order[0]
	h.order = h.order[1:]
	if h.count[old.sum]--; h.count[old.sum] == 0 {
		delete(h.count, old.sum)
	}
	if !old.at.Before(h.from) {
		h.from = old.at.Add(1)
	}
}

// again says since when to ask, and expects all that was heard since then.
func (h *heard) again() string {
	h.left = map[uint64]int{}
	for _, l := range h.order {
		if !l.at.Before(h.from) {
			h.left[l.sum]++
		}
	}
	return h.from.Format(time.RFC3339Nano)
}

func (h *heard) sum(l *LogLine) uint64 {
	var sum maphash.Hash
	sum.SetSeed(h.seed)
	slot := -1
	if l.Slot != nil {
		slot = *l.Slot
	}
	var numbers [32]byte
	for i, n := range []int64{l.Time.UnixNano(), int64(slot), int64(l.PID), int64(len(l.Pool))} {
		binary.LittleEndian.PutUint64(numbers[8*i:], uint64(n))
	}
	_, _ = sum.Write(numbers[:])
	for _, word := range []string{l.Pool, l.Stream, strconv.Itoa(l.WorkerID), " ", l.Text} {
		_, _ = sum.WriteString(word)
	}
	return sum.Sum64()
}
