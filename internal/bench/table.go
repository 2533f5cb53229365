package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// row is one line of the table.
type row struct {
	figure string
	floor  string
	brood  string
	ratio  string
	target string
	met    verdict
}

type verdict uint8

const (
	shown verdict = iota // there is no target
	met
	missed
)

func (v verdict) String() string {
	switch v {
	case met:
		return "met"
	case missed:
		return "MISSED"
	case shown:
	}
	return ""
}

func judge(holds bool) verdict {
	if holds {
		return met
	}
	return missed
}

// ratioRow compares two medians of times; limit 0 means that there is no target.
func ratioRow(figure string, floor, brood []time.Duration, limit float64) row {
	f, b := median(floor), median(brood)
	ratio := float64(b) / float64(f)
	r := row{figure: figure, floor: milliseconds(f), brood: milliseconds(b), ratio: decimal(ratio)}
	if limit > 0 {
		r.target, r.met = "≤ "+strconv.FormatFloat(limit, 'g', -1, 64)+"×", judge(ratio <= limit)
	}
	return r
}

// atLeastRow compares two medians of numbers; least 0 means that there is no target.
func atLeastRow(figure string, floor, brood []float64, least float64, unit string) row {
	f, b := median(floor), median(brood)
	r := row{figure: figure, floor: decimal(f) + unit, brood: decimal(b) + unit, ratio: decimal(b / f)}
	if least > 0 {
		r.target, r.met = "≥ "+strconv.FormatFloat(least, 'g', -1, 64)+"×", judge(b >= least*f)
	}
	return r
}

// atMostRow compares a number with a limit of its own.
func atMostRow(figure string, value, limit float64, unit string) row {
	return row{
		figure: figure, floor: "–", brood: decimal(value) + unit, ratio: "–",
		target: "≤ " + strconv.FormatFloat(limit, 'g', -1, 64) + unit, met: judge(value <= limit),
	}
}

func median[T ~int64 | ~float64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func milliseconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', 2, 64) + " ms"
}

func decimal(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 2, 64), ".00")
}

func printHead(w io.Writer) error {
	_, err := fmt.Fprintln(w, "| figure | floor | brood | ratio | target | verdict |\n|---|---|---|---|---|---|")
	return err
}

func (r row) print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s |\n", r.figure, r.floor, r.brood, r.ratio, r.target, r.met)
	return err
}
