package probe

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A lower status is no final answer, see RFC 9110, section 15.2, and a higher one is in no class.
const (
	minStatus = 200
	maxStatus = 599
)

// StatusSet is a set of HTTP statuses from 200 to 599: one bit each, so sets of the same statuses are equal.
type StatusSet [(maxStatus - minStatus + 64) / 64]uint64

// ErrStatus is what ParseStatus returns, wrapped.
var ErrStatus = errors.New("it is a list of statuses from 200 to 599, as in 200-299,304 or 2xx")

// DefaultStatus is 200-399, as in Kubernetes: a redirect is an answer.
func DefaultStatus() StatusSet {
	var s StatusSet
	s.add(200, 399)
	return s
}

// ParseStatus reads statuses, ranges and classes with commas between them: 200, 200-299, 2xx. The error is ErrStatus.
func ParseStatus(text string) (StatusSet, error) {
	var s StatusSet
	for item := range strings.SplitSeq(text, ",") {
		first, last, ok := parseStatuses(strings.TrimSpace(item))
		if !ok || first < minStatus || last > maxStatus || first > last {
			return StatusSet{}, fmt.Errorf("cannot read status %q: %w", item, ErrStatus)
		}
		s.add(first, last)
	}
	return s, nil
}

func parseStatuses(item string) (first, last int, ok bool) {
	if class, found := strings.CutSuffix(strings.ToLower(item), "xx"); found {
		first, ok = parseStatus(class + "00")
		return first, first + 99, ok
	}
	low, high, isRange := strings.Cut(item, "-")
	if !isRange {
		high = low
	}
	first, okLow := parseStatus(strings.TrimSpace(low))
	last, okHigh := parseStatus(strings.TrimSpace(high))
	return first, last, okLow && okHigh
}

// parseStatus wants three digits; Atoi alone would take signs, too.
func parseStatus(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 100 && len(text) == len("200")
}

// Has reports whether a status is in the set.
func (s StatusSet) Has(status int) bool {
	if status < minStatus || status > maxStatus {
		return false
	}
	i := status - minStatus
	return s[i/64]&(1<<(i%64)) != 0
}

func (s *StatusSet) add(first, last int) {
	for i := first - minStatus; i <= last-minStatus; i++ {
		s[i/64] |= 1 << (i % 64)
	}
}

// String writes the set as ParseStatus reads it, with the fewest ranges: 200-299,304.
func (s StatusSet) String() string {
	var items []string
	for first := minStatus; first <= maxStatus; first++ {
		if !s.Has(first) {
			continue
		}
		last := first
		for s.Has(last + 1) {
			last++
		}
		item := strconv.Itoa(first)
		if last > first {
			item += "-" + strconv.Itoa(last)
		}
		items = append(items, item)
		first = last
	}
	return strings.Join(items, ",")
}
