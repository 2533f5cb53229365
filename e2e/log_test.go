//go:build e2e

package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// logLine is a line of the log.
type logLine struct {
	Message  string    `json:"message"`
	Time     time.Time `json:"time"`
	Slot     int       `json:"slot"`
	PID      int       `json:"pid"`
	Cause    string    `json:"cause"`
	Detail   string    `json:"detail"`
	Exit     string    `json:"exit"`
	Why      string    `json:"why"`
	Repaired string    `json:"repaired"`
	Error    string    `json:"error"`

	From   int    `json:"from"`
	To     int    `json:"to"`
	Reason string `json:"reason"`
	Queued int    `json:"queued"`
}

// said are the lines of the log with one of some messages, as they came. The log is written beside what it tells of: wait for
// what it is to have; see awaitSaid.
func (b *brood) said(messages ...string) []logLine {
	b.t.Helper()
	var all []logLine
	for line := range strings.Lines(read(b.t, b.log)) {
		var e logLine
		if json.Unmarshal([]byte(line), &e) == nil && slices.Contains(messages, e.Message) {
			all = append(all, e)
		}
	}
	return all
}

// causes counts the deaths by their causes.
func (b *brood) causes() map[string]int {
	b.t.Helper()
	found := map[string]int{}
	for _, e := range b.said("worker died") {
		found[e.Cause]++
	}
	return found
}
