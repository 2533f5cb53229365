package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/machine"
)

// printTroubles says first what is wrong, in few lines for each pool: below them the tables of many pools may be longer than the
// screen, and have the rest of what is cut here.
func printTroubles(w io.Writer, snap *supervisor.Snapshot, look look) {
	var lines []string
	if r := snap.Config.Reload; r != nil && r.State == "failed" {
		first, _, _ := strings.Cut(r.Error, "\n")
		lines = append(lines, fmt.Sprintf("reload failed %s ago: %s", text.Age(time.Since(r.At)), first))
	}
	for i := range snap.Pools {
		for j, trouble := range troubles(&snap.Pools[i]) {
			if j == 0 {
				trouble = "pool " + snap.Pools[i].Name + ": " + trouble
			} else {
				trouble = "  " + trouble
			}
			lines = append(lines, trouble)
		}
	}
	for _, line := range lines {
		line = "! " + text.Neutral(line)
		if look.width > 0 {
			line = text.Cut(line, look.width)
		}
		_, _ = fmt.Fprintln(w, look.paint(colourBad, line))
	}
}

// mostReasons is how many different reasons are told of a pool at once.
const mostReasons = 2

// troubles is what is wrong with a pool, what matters most first. What has to take its time is not wrong.
func troubles(p *supervisor.PoolView) []string {
	var found []string
	if p.Ready < p.Desired && p.State != supervisor.StateStopping {
		found = append(found, fmt.Sprintf("%d of %d ready", p.Ready, p.Desired))
	}
	reasons := whyOf(p)
	if len(reasons) == 0 && p.State == supervisor.StateStarting {
		found = nil
	}
	if more := len(reasons) - mostReasons; more > 0 {
		reasons = append(reasons[:mostReasons], fmt.Sprintf("and %d more", more))
	}
	return append(found, reasons...)
}

func whyOf(p *supervisor.PoolView) []string {
	var found []string
	for _, unmet := range p.Unmet {
		found = append(found, "missing: "+unmet)
	}
	var slots []note
	for i := range p.Workers {
		v := &p.Workers[i]
		switch why := whyNot(v); {
		case why != "":
			slots = addNote(slots, v.Slot, why)
		case v.State == machine.Waiting.String() && v.LastExit != "":
			slots = addNote(slots, v.Slot, v.State+" after "+v.LastExit)
		}
	}
	for _, n := range slots {
		found = append(found, n.subject()+": "+n.about)
	}
	for i := range p.Listeners {
		l := &p.Listeners[i]
		if q := l.Queue; q != nil && q.Capacity > 0 && 2*q.Depth >= q.Capacity {
			found = append(found, fmt.Sprintf("%d of %d connections that have room wait at listener %s", q.Depth, q.Capacity, l.Name))
		}
	}
	if r := p.Rollout; r != nil && (r.State == "failed" || r.State == machine.Reverting.String()) {
		found = append(found, rolloutWords(r))
	}
	return found
}

// deathWords counts the deaths that nobody wanted, by their causes, the most frequent first.
func deathWords(deaths map[supervisor.Cause]int) string {
	wanted := []supervisor.Cause{supervisor.CauseRecycled, supervisor.CauseStopped, supervisor.CauseFinished}
	causes := slices.DeleteFunc(supervisor.Causes(), func(c supervisor.Cause) bool { return deaths[c] == 0 || slices.Contains(wanted, c) })
	slices.SortStableFunc(causes, func(a, b supervisor.Cause) int { return deaths[b] - deaths[a] })
	words := make([]string, len(causes))
	for i, cause := range causes {
		words[i] = fmt.Sprintf("%d %s", deaths[cause], cause)
	}
	return strings.Join(words, ", ")
}
