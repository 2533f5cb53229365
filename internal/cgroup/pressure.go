package cgroup

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Pressure says how much of the time processes of a group waited for something; see the kernel's document
// Documentation/accounting/psi.rst.
type Pressure struct {
	Some Share // at least one of them did
	Full Share // all that could have run did
}

// Share is a part of the time: in percent over the last 10, 60 and 300 seconds, and altogether.
type Share struct {
	Avg10, Avg60, Avg300 float64
	Total                time.Duration
}

// ParsePressure reads a pressure file.
func ParsePressure(text string) (Pressure, error) {
	var p Pressure
	seen := false
	for line := range strings.Lines(text) {
		kind, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		share, err := parseShare(rest)
		if err != nil {
			return Pressure{}, fmt.Errorf("cannot read pressure line %q: %w", line, err)
		}
		switch kind {
		case "some":
			p.Some, seen = share, true
		case "full":
			p.Full = share
		}
	}
	if !seen {
		return Pressure{}, fmt.Errorf("cannot read pressure %q: %w", text, strconv.ErrSyntax)
	}
	return p, nil
}

func parseShare(text string) (Share, error) {
	var s Share
	for field := range strings.FieldsSeq(text) {
		key, value, _ := strings.Cut(field, "=")
		var err error
		switch key {
		case "avg10":
			s.Avg10, err = percent(value)
		case "avg60":
			s.Avg60, err = percent(value)
		case "avg300":
			s.Avg300, err = percent(value)
		case "total":
			var n uint64
			n, err = strconv.ParseUint(value, 10, 63)
			s.Total = time.Duration(min(n, uint64(1<<63-1)/1000)) * time.Microsecond
		}
		if err != nil {
			return Share{}, err
		}
	}
	return s, nil
}

// percent reads a number from 0 to 100; ParseFloat alone takes NaN as well.
func percent(text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err == nil && !(f >= 0 && f <= 100) {
		return 0, strconv.ErrRange
	}
	return f, err
}
