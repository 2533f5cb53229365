package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes: 536870912, "512M", with K, M, G and T for powers of 1024, as systemd counts.
type Size string

func (*Size) numberOrString() {}

// leastSize is less than any program needs: who writes a smaller number forgot its unit.
const leastSize = 1 << 20

var errSize = errors.New("it is a number of bytes, such as 512M or 2G")

// Of returns the bytes.
func (s Size) Of() (uint64, error) {
	n, err := parseBytes(string(s))
	switch {
	case string(s) == infinity:
		return 0, hinted(errSize, "leave it out if there is no limit")
	case err != nil:
		return 0, hinted(errSize, didYouMeanSize(string(s)))
	case n < leastSize:
		return 0, hinted(errors.New("no program works with less than 1M"), sizeWithUnit(string(s)))
	}
	return n, nil
}

// parseBytes reads a number with or without a unit.
func parseBytes(text string) (uint64, error) {
	shift := 0
	if n := len(text); n > 0 {
		if i := strings.IndexByte("KMGT", text[n-1]); i >= 0 {
			text, shift = text[:n-1], 10*(i+1)
		}
	}
	n, err := strconv.ParseUint(text, 10, 64)
	// The largest number is what the kernel takes for no limit.
	if err != nil || !digits(text) || n > (math.MaxUint64-1)>>shift {
		return 0, errSize
	}
	return n << shift, nil
}

// didYouMeanSize knows how others write units: 512m, 512MB, 512MiB, 512 M.
func didYouMeanSize(text string) string {
	upper := strings.ToUpper(strings.ReplaceAll(text, " ", ""))
	upper = strings.TrimSuffix(strings.TrimSuffix(upper, "B"), "I")
	if _, err := parseBytes(upper); err == nil && !digits(upper) {
		return "did you mean " + quote(upper) + "?"
	}
	return ""
}

func sizeWithUnit(text string) string {
	if digits(text) && text != "0" {
		return "write " + quote(text+"M") + " if these are megabytes"
	}
	return ""
}
