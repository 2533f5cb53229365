package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/fleet"
	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/supervisor"
)

const fleetHint = "brood fleet status, brood fleet pause web --reason \"a holiday\", brood fleet resume web"

// fleetVerbs are what can be done with a fleet.
func fleetVerbs() []string { return []string{"status", "pause", "resume"} }

func fleetCommand() *cli.Command {
	return &cli.Command{
		Name:      "fleet",
		Usage:     "show who takes turns at rollouts, have nobody begin one, or have them go on",
		ArgsUsage: "status|pause|resume [NAME]",
		Description: "A fleet is what pools of several supervisors say in rollout.fleet. The supervisor that is asked is one of it.\n" +
			"After pause nobody begins a rollout, and those that are under way go on. resume undoes it, and forgets rollouts that have failed.",
		Flags: targetFlags(answerFlag(), stringFlag("reason", "", "of pause: `WHY`, for everybody who looks"), outputFlag(), noColorFlag()),
		Action: func(c *cli.Context) error {
			verb, name := c.Args().First(), c.Args().Get(1)
			switch {
			case c.Args().Len() > 2 || !slices.Contains(fleetVerbs(), verb):
				return usage(fleetHint, "brood fleet takes status, pause or resume, and the name of a fleet")
			case verb != "pause" && c.String("reason") != "":
				return usage(fleetHint, "--reason goes with pause")
			case verb == "status":
				return showFleets(c, name)
			}
			body := control.Body{Fleet: name, Reason: c.String("reason")}
			return send(c, request{verb: supervisor.Verb(verb), body: body}, c.Duration("timeout"))
		},
	}
}

func showFleets(c *cli.Context, name string) error {
	client, format, err := question(c)
	if err != nil {
		return err
	}
	within := answerIn(c)
	ctx, cancel := context.WithTimeout(c.Context, within)
	defer cancel()
	views, err := client.Fleets(ctx, name)
	switch {
	case errors.Is(err, control.ErrRefused):
		return &userError{code: exitFailed, err: err}
	case err != nil:
		return tooLate(err, client, within)
	case format == formatJSON:
		return printJSON(c.App.Writer, control.Fleets{Fleets: views})
	}
	if len(views) == 0 {
		_, _ = fmt.Fprintln(c.App.ErrWriter, "no pool takes turns with others: none has rollout.fleet")
	}
	for i := range views {
		if i > 0 {
			_, _ = fmt.Fprintln(c.App.Writer)
		}
		printFleet(c.App.Writer, &views[i], lookOf(c, c.App.Writer))
	}
	return nil
}

func printFleet(w io.Writer, v *fleet.View, look look) {
	colour := colourGood
	if v.State != fleet.Open {
		colour = colourBad
	}
	stops := "never stopped"
	if v.StopAfter > 0 {
		stops = fmt.Sprintf("until %d rollouts fail", v.StopAfter)
		if v.StopAfter == 1 {
			stops = "until a rollout fails"
		}
	}
	printParts(w, []string{"fleet " + text.Neutral(v.Name), look.paint(colour, v.State), fmt.Sprintf("%d at a time", v.AtOnce), stops}, look.width)
	if r := v.Paused; r != nil {
		printNote(w, "paused "+remarkWords("by", r), look.width)
	}
	if v.Failures > 0 && v.Failed != nil {
		printNote(w, count(v.Failures, "rollout")+" failed, the last one "+remarkWords("at", v.Failed), look.width)
	}
	printMembers(w, v.Members, look)
}

func remarkWords(by string, r *fleet.Remark) string {
	words := fmt.Sprintf("%s ago %s %s", text.Age(time.Since(r.At)), by, r.Who)
	if r.Why != "" {
		words += ": " + r.Why
	}
	return words
}

func printMembers(w io.Writer, members []fleet.MemberView, look look) {
	if len(members) == 0 {
		return
	}
	who, pool, state := column{head: "MEMBER", least: 16}, column{head: "POOL", least: 8}, column{head: "STATE"}
	generation, rolled := column{head: "GENERATION", drop: 2}, column{head: "ROLLED", drop: 1}
	since, why := column{head: "SINCE"}, column{head: "WHY", least: 20}
	for i := range members {
		m := &members[i]
		who.cells, pool.cells = append(who.cells, text.Neutral(m.Who)), append(pool.cells, unlessZero(len(m.Pool), text.Neutral(m.Pool)))
		word := m.State
		if m.Lost {
			word = "lost"
		}
		state.cells = append(state.cells, text.Neutral(word))
		generation.cells = append(generation.cells, unlessZero(int(m.Generation), strconv.FormatUint(m.Generation, 10)))
		rolled.cells = append(rolled.cells, unlessZero(m.Workers, fmt.Sprintf("%d/%d", m.Done, m.Workers)))
		since.cells = append(since.cells, unlessZero(int(m.Since), text.Age(time.Since(time.Unix(m.Since, 0)))))
		why.cells = append(why.cells, text.Neutral(m.Why))
	}
	said := func(word string) bool { return word != "" && word != nothing }
	for _, c := range []*column{&rolled, &why} {
		if !slices.ContainsFunc(c.cells, said) {
			c.cells = nil
		}
	}
	printTable(w, []column{who, pool, state, generation, rolled, since, why}, look, func(i int) string {
		switch {
		case members[i].Lost || members[i].State == fleet.Failed:
			return colourBad
		case members[i].State == fleet.Rolls:
			return colourGood
		}
		return ""
	})
}
