package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/top"
)

const (
	// usualInterval is a little longer than a supervisor keeps what it has measured, so that each look is a new one.
	usualInterval = 2500 * time.Millisecond
	leastInterval = 200 * time.Millisecond
)

func topCommand() *cli.Command {
	return &cli.Command{
		Name:  "top",
		Usage: "show pools and workers live, with what they use; look into them, replace and scale them",
		Flags: targetFlags(
			boolFlag("once", "print one picture as text and end"),
			durationFlag("interval", usualInterval, "between two measurements"),
			stringFlag("sort", "", "`COLUMN` to sort by: "+strings.Join(sortWords(), ", ")),
			stringFlag("filter", "", "only pools and workers with this `TEXT` in their name, state or reason"),
			boolFlag("unhealthy", "only what is not ready or has a reason to be looked at"),
			outputFlag(), noColorFlag(),
		),
		Action: func(c *cli.Context) error {
			opt, err := topOptions(c)
			if err != nil {
				return err
			}
			if !c.Bool("once") && !interactive() {
				return usage("brood top --once prints one picture anywhere", "brood top needs a terminal that can do more than print")
			}
			client, err := target(c)
			if err != nil {
				return err
			}
			if _, err := statusWithin(c.Context, client, answerIn(c)); err != nil {
				return err // in words on the terminal as it is; later it is shown and waited for
			}
			if c.Bool("once") {
				return topOnce(c, client, opt)
			}
			return top.Run(c.Context, client, opt, top.Terminal{In: os.Stdin, Out: os.Stdout, Interval: c.Duration("interval")})
		},
	}
}

// sortWords are the columns that can be sorted by.
func sortWords() []string {
	names := slices.Clone(top.SortNames())
	for i := range names {
		names[i] = strings.ToLower(names[i])
	}
	return names
}

// interactive reports whether keys can be read and a screen be drawn.
func interactive() bool {
	_, in := terminal(os.Stdin)
	_, out := terminal(os.Stdout)
	return in && out
}

// topOptions reads what the flags say, and refuses what makes no sense.
func topOptions(c *cli.Context) (top.Options, error) {
	if err := noArguments(c); err != nil {
		return top.Options{}, err
	}
	format, err := outputFormat(c)
	if err != nil {
		return top.Options{}, err
	}
	opt := top.Options{
		Colour: colourOn(true, c.Bool("no-color")), Sort: strings.ToUpper(c.String("sort")), Filter: c.String("filter"), Unhealthy: c.Bool("unhealthy"),
	}
	switch names := top.SortNames(); {
	case format == "json" && !c.Bool("once"):
		return opt, usage("brood top --once --output json", "json is for one picture: it goes with --once")
	case opt.Sort != "" && !slices.Contains(names, opt.Sort):
		return opt, usage("one of "+strings.Join(sortWords(), ", "), "no such column: %q", c.String("sort"))
	case c.Duration("interval") < leastInterval:
		return opt, usage("", "the interval is at least %s", leastInterval)
	}
	return opt, nil
}

func topOnce(c *cli.Context, source top.Source, opt top.Options) error {
	ctx, cancel := context.WithTimeout(c.Context, c.Duration("interval")+answerTime)
	defer cancel()
	picture, err := top.Once(ctx, source, c.Duration("interval"))
	if err != nil {
		return err
	}
	picture = picture.Select(opt)
	if c.String("output") == "json" {
		return picture.WriteJSON(c.App.Writer)
	}
	return picture.WriteText(c.App.Writer)
}
