package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/supervisor"
)

func statusCommand() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "show the pools and their workers",
		Flags: targetFlags(outputFlag()),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			format, err := outputFormat(c)
			if err != nil {
				return err
			}
			client, err := target(c)
			if err != nil {
				return err
			}
			snap, err := client.Status(c.Context)
			if err != nil {
				return err
			}
			if format == "json" {
				return printJSON(c.App.Writer, snap)
			}
			return printStatus(c.App.Writer, snap)
		},
	}
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func printStatus(w io.Writer, snap supervisor.Snapshot) error {
	up := time.Since(snap.Started).Round(time.Second)
	_, _ = fmt.Fprintf(w, "%s  %s  pid %d  up %s\n", snap.Name, snap.State, snap.PID, up)
	printConfig(w, &snap.Config)
	for i := range snap.Pools {
		p := &snap.Pools[i]
		_, _ = fmt.Fprintf(w, "\npool %s  %d/%d%s ready  generation %d  restarts %d%s\n",
			p.Name, p.Ready, p.Desired, boundsWords(p.Autoscale), p.Generation, p.Restarts, rolloutWords(p.Rollout))
		printLoad(w, p.Autoscale)
		if len(p.WaitsFor) > 0 {
			_, _ = fmt.Fprintf(w, "  waits for %s\n", strings.Join(p.WaitsFor, ", "))
		}
		for _, unmet := range p.Unmet {
			_, _ = fmt.Fprintf(w, "  missing: %s\n", unmet)
		}
		for _, l := range p.Listeners {
			_, _ = fmt.Fprintf(w, "  %s  %s  %s\n", l.Name, l.Address, l.Mode)
		}
		printWorkers(w, p.Workers)
		printHealth(w, p.Workers)
	}
	return nil
}

// printConfig says which file holds, and what became of the last reload if that is worth knowing.
func printConfig(w io.Writer, c *supervisor.ConfigView) {
	if c.File != "" {
		_, _ = fmt.Fprintf(w, "%s, loaded %s ago\n", c.File, ageWords(time.Since(c.Loaded)))
	}
	if r := c.Reload; r != nil && r.State != "done" {
		_, _ = fmt.Fprintf(w, "reload %s", r.State)
		if !r.At.IsZero() {
			_, _ = fmt.Fprintf(w, " %s ago", ageWords(time.Since(r.At)))
		}
		_, _ = fmt.Fprintf(w, "\n")
		for line := range strings.Lines(r.Error) {
			_, _ = fmt.Fprintf(w, "  %s\n", strings.TrimRight(line, "\n"))
		}
		for _, line := range r.Lines {
			_, _ = fmt.Fprintf(w, "  | %s\n", line)
		}
	}
}

func printWorkers(w io.Writer, workers []supervisor.WorkerView) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "SLOT\tID\tPID\tSTATE\tGEN\tAGE\tRESTARTS\tLAST EXIT")
	for i := range workers {
		v := &workers[i]
		id, pid, age := "-", "-", "-"
		if v.PID != 0 {
			pid = strconv.Itoa(v.PID)
			age = ageWords(time.Duration(v.Age * float64(time.Second)))
		}
		if v.WorkerID != nil {
			id = strconv.Itoa(*v.WorkerID)
		}
		_, _ = fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%d\t%s\t%d\t%s\n",
			v.Slot, id, pid, v.State, v.Generation, age, v.Restarts, lastWords(v))
	}
	_ = t.Flush()
}

// printHealth says what is wrong with workers, and nothing of the others.
func printHealth(w io.Writer, workers []supervisor.WorkerView) {
	for i := range workers {
		if v := &workers[i]; v.Health != "" {
			_, _ = fmt.Fprintf(w, "  slot %d is %s: %s\n", v.Slot, v.State, strings.ReplaceAll(v.Health, "\n", " "))
		}
	}
}

// lastWords tells how the slot's last worker ended, and what this one says of itself.
func lastWords(v *supervisor.WorkerView) string {
	words := v.LastExit
	if words == "" {
		words = "-"
	}
	if v.Status != "" {
		words += "  (" + v.Status + ")"
	}
	return strings.ReplaceAll(words, "\n", " ")
}

// ageWords is a duration to two places: 3.2s, 12m4s, 5h12m, 3d4h.
func ageWords(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	case d < day:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
	}
}

func boundsWords(a *supervisor.AutoscaleView) string {
	if a == nil {
		return ""
	}
	return fmt.Sprintf(" (%d-%d)", a.Min, a.Max)
}

// printLoad says what the number of workers follows, and why it is what it is.
func printLoad(w io.Writer, a *supervisor.AutoscaleView) {
	if a == nil {
		return
	}
	_, _ = fmt.Fprintf(w, "  load: %d queued, %.2f CPUs\n", a.Queued, a.CPU)
	if a.Detail != "" {
		_, _ = fmt.Fprintf(w, "  scaled %s ago: %s\n", ageWords(time.Since(a.Changed)), a.Detail)
	}
}

func rolloutWords(r *supervisor.RolloutView) string {
	if r == nil || r.State == "done" {
		return ""
	}
	words := fmt.Sprintf("  rollout of generation %d: %s", r.Generation, r.State)
	if r.Reason != "" {
		words += ": " + r.Reason
	}
	return words
}
