package compat

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
)

// Report is all that was seen in one run.
type Report struct {
	Times   int      `json:"times"` // rollouts, reloads and kills of each
	Servers []Result `json:"servers"`
	Own     []Own    `json:"own_ports"`
}

var errOther = errors.New("the table has other servers")

// Load reads a report that was kept.
func Load(path string) (Report, error) {
	var r Report
	text, err := os.ReadFile(path)
	if err != nil {
		return r, fmt.Errorf("cannot read report: %w", err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("cannot read report %s: %w", path, err)
	}
	return r, nil
}

// Save keeps it.
func (r *Report) Save(path string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return fmt.Errorf("cannot write report: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("cannot write report: %w", err)
	}
	return nil
}

// Put adds what was seen of a server, or replaces what was seen of it before. One that is in the
// table no more goes.
func (r *Report) Put(result Result) {
	place := func(of Result) int {
		return slices.IndexFunc(Servers(), func(s Server) bool { return s.Name == of.Name })
	}
	r.Servers = slices.DeleteFunc(r.Servers, func(old Result) bool { return old.Name == result.Name || place(old) < 0 })
	r.Servers = append(r.Servers, result)
	slices.SortStableFunc(r.Servers, func(a, b Result) int { return place(a) - place(b) })
}

// PutOwn does the same for a stranger.
func (r *Report) PutOwn(own Own) {
	place := func(of Own) int {
		return slices.IndexFunc(Strangers(), func(s Stranger) bool { return s.Name == of.Name })
	}
	r.Own = slices.DeleteFunc(r.Own, func(old Own) bool { return old.Name == own.Name || place(old) < 0 })
	r.Own = append(r.Own, own)
	slices.SortStableFunc(r.Own, func(a, b Own) int { return place(a) - place(b) })
}

// Check demands that these are the servers of the tables, in their order.
func (r *Report) Check() error {
	var want, have []string
	for _, s := range Servers() {
		want = append(want, s.Name)
	}
	for _, s := range Strangers() {
		want = append(want, s.Name)
	}
	for _, s := range r.Servers {
		have = append(have, s.Name)
	}
	for _, s := range r.Own {
		have = append(have, s.Name)
	}
	if !slices.Equal(want, have) {
		return fmt.Errorf("%w: it has %q, the report %q", errOther, want, have)
	}
	return nil
}
