package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/supervisor"
)

func statusCommand() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "show the pools and their workers",
		Flags: targetFlags(answerFlag(), poolFlag(), outputFlag(), noColorFlag()),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			client, format, err := question(c)
			if err != nil {
				return err
			}
			snap, err := statusWithin(c.Context, client, answerIn(c))
			if err != nil {
				return err
			}
			if name := c.String("pool"); name != "" {
				p := poolOf(&snap, name)
				if p == nil {
					return noPool(&snap, name)
				}
				snap.Pools = []supervisor.PoolView{*p}
			}
			if format == formatJSON {
				return printJSON(c.App.Writer, snap)
			}
			printStatus(c.App.Writer, snap, askLastSaid(c.Context, client, &snap), lookOf(c, c.App.Writer))
			return nil
		},
	}
}

func printStatus(w io.Writer, snap supervisor.Snapshot, said lastSaid, look look) {
	width := look.width
	_, _ = fmt.Fprintf(w, "%s  %s  pid %d  up %s\n", text.Neutral(snap.Name), look.paint(stateColour(snap.State), text.Neutral(snap.State)),
		snap.PID, text.Age(time.Since(snap.Started)))
	printTroubles(w, &snap, said, look)
	printConfig(w, &snap.Config, width)
	for i := range snap.Pools {
		p := &snap.Pools[i]
		_, _ = fmt.Fprintln(w)
		printParts(w, []string{
			"pool " + text.Neutral(p.Name), fmt.Sprintf("%d/%d%s ready", p.Ready, p.Desired, boundsWords(p.Autoscale)),
			fmt.Sprintf("generation %d", p.Generation), fmt.Sprintf("restarts %d", p.Restarts), leaderWords(p.Workers), deathWords(p.Deaths), rolloutWords(p.Rollout),
		}, width)
		printLoad(w, p.Autoscale, width)
		if len(p.WaitsFor) > 0 {
			printNote(w, "waits for "+strings.Join(p.WaitsFor, ", "), width)
		}
		if p.Claims != nil {
			for _, waits := range p.Claims.Waits {
				printNote(w, waits, width)
			}
		}
		for _, unmet := range p.Unmet {
			printNote(w, "missing: "+unmet, width)
		}
		for _, l := range p.Listeners {
			printNote(w, fmt.Sprintf("%s  %s  %s%s", l.Name, l.Address, l.Mode, queueWords(l.Queue)), width)
		}
		whole := printWorkers(w, p.Workers, look)
		printNotes(w, p, !whole, width)
	}
}

// printConfig says which file holds, and what became of the last reload if that is worth knowing.
func printConfig(w io.Writer, c *supervisor.ConfigView, width int) {
	if c.File != "" {
		_, _ = fmt.Fprintf(w, "%s, loaded %s ago\n", text.Neutral(c.File), text.Age(time.Since(c.Loaded)))
	}
	r := c.Reload
	if r == nil || r.State == "done" {
		return
	}
	_, _ = fmt.Fprintf(w, "reload %s", r.State)
	if !r.At.IsZero() {
		_, _ = fmt.Fprintf(w, " %s ago", text.Age(time.Since(r.At)))
	}
	_, _ = fmt.Fprintf(w, "\n")
	for line := range strings.Lines(r.Error) {
		printNote(w, strings.TrimRight(line, "\n"), width)
	}
	for _, line := range r.Lines {
		printNote(w, "| "+line, width)
	}
}

// queueWords says what waits at a listener, and what was turned away, if anything.
func queueWords(q *supervisor.QueueView) string {
	words := ""
	if q != nil && q.Depth > 0 {
		words += fmt.Sprintf("  %d of %d queued", q.Depth, q.Capacity)
	}
	if q != nil && q.Drops > 0 {
		words += fmt.Sprintf("  %d dropped", q.Drops)
	}
	return words
}

func boundsWords(a *supervisor.AutoscaleView) string {
	if a == nil {
		return ""
	}
	return fmt.Sprintf(" (%d-%d)", a.Min, a.Max)
}

// printLoad says what the number of workers follows, and why it is what it is.
func printLoad(w io.Writer, a *supervisor.AutoscaleView, width int) {
	if a == nil {
		return
	}
	printNote(w, fmt.Sprintf("load: %d queued, %.2f CPUs", a.Queued, a.CPU), width)
	if a.Detail != "" {
		printNote(w, fmt.Sprintf("scaled %s ago: %s", text.Age(time.Since(a.Changed)), a.Detail), width)
	}
}

// leaderWords says who leads a pool that has somebody for that.
func leaderWords(workers []supervisor.WorkerView) string {
	for i := range workers {
		if w := &workers[i]; w.Leader && w.PID != 0 {
			return fmt.Sprintf("led by slot %d", w.Slot)
		}
	}
	return ""
}

func rolloutWords(r *supervisor.RolloutView) string {
	if r == nil || r.State == "done" {
		return ""
	}
	words := fmt.Sprintf("rollout of generation %d: %s", r.Generation, r.State)
	if r.State == "waiting" { // below it is said for what
		return words
	}
	if r.Reason != "" {
		words += ": " + text.Neutral(r.Reason)
	}
	return words
}
