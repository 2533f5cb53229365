package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/machine"
)

// printTroubles says first what is wrong, in few lines for each pool: below them the tables of many pools may be longer than the
// screen, and have the rest of what is cut here.
func printTroubles(w io.Writer, snap *supervisor.Snapshot, said lastSaid, look look) {
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
		if word := said[snap.Pools[i].Name]; word != "" {
			lines = append(lines, "  | "+word)
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

// lastSaid has the last line on stderr of a worker of a pool that died, by the pool's name.
type lastSaid map[string]string

const (
	mostAsked = 4                      // pools whose workers' last words are looked for
	saidTime  = 500 * time.Millisecond // how long that may take, for all of them
)

// askLastSaid looks for the last words of those who died and have no successor yet: they often say why. What cannot be had is
// left out.
func askLastSaid(ctx context.Context, client *control.Client, snap *supervisor.Snapshot) lastSaid {
	ctx, cancel := context.WithTimeout(ctx, saidTime)
	defer cancel()
	said := lastSaid{}
	for i := range snap.Pools {
		p := &snap.Pools[i]
		at := slices.IndexFunc(p.Workers, func(v supervisor.WorkerView) bool { return v.State == machine.Waiting.String() && v.LastExit != "" })
		if at < 0 || len(said) == mostAsked {
			continue
		}
		wanted := control.LogsWanted{Pool: p.Name, Slot: &p.Workers[at].Slot, Stream: "stderr", Last: 1}
		for line, err := range client.Logs(ctx, wanted) {
			if err == nil {
				said[p.Name] = line.Text
			}
		}
	}
	return said
}

// mostReasons is how many different reasons are told of a pool at once.
const mostReasons = 2

// troubles is what is wrong with a pool, what matters most first. What has to take its time is not wrong.
func troubles(p *supervisor.PoolView) []string {
	var found []string
	if p.Ready+p.StandsBy < p.Desired && p.State != supervisor.StateStopping {
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
	found = append(found, p.Claims.Trouble()...)
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
		if q := l.Queue; q != nil && crowded(q, p.Ready) {
			found = append(found, fmt.Sprintf("listener %s: %s", l.Name, strings.TrimSpace(queueWords(&supervisor.QueueView{Depth: q.Depth, Capacity: q.Capacity}))))
		}
	}
	if r := p.Rollout; r != nil && (r.State == "failed" || r.State == machine.Reverting.String()) {
		found = append(found, rolloutWords(r))
	}
	return found
}

// manyWait is how many connections may wait for each ready worker before that is told: a burst has less, and who takes its time
// for each has some.
const manyWait = 32

// crowded reports whether more connections wait than so many ready workers will soon take.
func crowded(q *supervisor.QueueView, ready int) bool {
	return q.Depth > uint64(manyWait*max(ready, 0)) || q.Depth > 0 && 2*q.Depth >= q.Capacity
}

// deathWords counts the deaths that nobody wanted, by their causes, the most frequent first.
func deathWords(deaths map[supervisor.Cause]int) string {
	wanted := []supervisor.Cause{supervisor.CauseRecycled, supervisor.CauseStopped, supervisor.CauseFinished}
	causes := slices.DeleteFunc(supervisor.Causes(), func(c supervisor.Cause) bool { return deaths[c] == 0 || slices.Contains(wanted, c) })
	slices.SortStableFunc(causes, func(a, b supervisor.Cause) int { return deaths[b] - deaths[a] })
	if len(causes) == 0 {
		return ""
	}
	words := make([]string, len(causes))
	for i, cause := range causes {
		words[i] = fmt.Sprintf("%d %s", deaths[cause], cause)
	}
	return "deaths: " + strings.Join(words, ", ")
}
