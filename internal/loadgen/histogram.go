package loadgen

import (
	"math/bits"
	"time"
)

// Histogram counts durations in buckets whose width is at most 1/32 of their
// value: fixed size, whatever the number of requests. The zero value is empty.
type Histogram struct {
	counts [64 * sub]uint64
	total  uint64
	sum    time.Duration
	max    time.Duration
}

const (
	subBits = 5
	sub     = 1 << subBits
)

// bucket maps nanoseconds to an index: the position of the highest bit and the
// five bits after it.
func bucket(d time.Duration) int {
	n := uint64(max(d, 0))
	if n < sub {
		return int(n)
	}
	high := bits.Len64(n) - 1
	return (high-subBits+1)*sub + int(n>>(high-subBits))&(sub-1)
}

// upper is the longest duration of a bucket.
func upper(index int) time.Duration {
	if index < sub {
		return time.Duration(index)
	}
	shift := index/sub - 1
	base := uint64(sub+index%sub) << shift
	return time.Duration(base + (uint64(1)<<shift - 1))
}

func (h *Histogram) add(d time.Duration) {
	h.counts[bucket(d)]++
	h.total++
	h.sum += d
	h.max = max(h.max, d)
}

// Quantile gives the duration that the fraction q of all did not exceed, at most
// 3 % too long; 0 when empty.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	rank := min(uint64(q*float64(h.total)), h.total-1)
	var seen uint64
	for i, n := range h.counts {
		seen += n
		if seen > rank {
			return min(upper(i), h.max)
		}
	}
	return h.max
}

// Max is the longest, exact.
func (h *Histogram) Max() time.Duration { return h.max }

// Count is how many durations were added.
func (h *Histogram) Count() uint64 { return h.total }

// Mean is 0 when empty.
func (h *Histogram) Mean() time.Duration {
	if h.total == 0 {
		return 0
	}
	return h.sum / time.Duration(h.total)
}
