package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/supervisor/events"
)

func eventsCommand() *cli.Command {
	return &cli.Command{
		Name:  "events",
		Usage: "show what has happened, or what happens",
		Description: "Without --follow and --since it shows all that is kept, with --follow what happens from now on.\n" +
			"docs/events.md says what there is. With --output json it is one object per line.",
		Flags: targetFlags(
			listFlag("pool", "only of the `POOL` of this name, and of all pools together. Repeatable"),
			listFlag("kind", "only of this `KIND`: "+strings.Join(kindWords(), ", ")+". Repeatable"),
			boolFlag("follow", "go on until SIGINT, or until the supervisor ends", "f"),
			stringFlag("since", "", "only behind the event of this `ID`, or of so long ago: 17, 5m"),
			outputFlag(),
		),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			format, err := outputFormat(c)
			if err != nil {
				return err
			}
			wanted, from, err := eventsWanted(c)
			if err != nil {
				return err
			}
			client, err := target(c)
			if err != nil {
				return err
			}
			snap, err := statusWithin(c.Context, client, answerIn(c))
			if err != nil {
				return err
			}
			for _, pool := range wanted.Pools {
				if poolOf(&snap, pool) == nil {
					return noPool(&snap, pool)
				}
			}
			show := printEvent
			if format == formatJSON {
				show = func(w io.Writer, e control.Event, _ int) error { return json.NewEncoder(w).Encode(e) }
			}
			return follow(c, func(ctx context.Context) error {
				return showEvents(ctx, c.App.Writer, client, wanted, from, show)
			})
		},
	}
}

func kindWords() []string {
	var words []string
	for _, k := range events.Kinds() {
		words = append(words, string(k))
	}
	return words
}

// eventsWanted is what the flags ask for, and from when on.
func eventsWanted(c *cli.Context) (control.EventsWanted, time.Time, error) {
	wanted := control.EventsWanted{Pools: c.StringSlice("pool"), Kinds: c.StringSlice("kind"), Once: !c.Bool("follow")}
	for _, kind := range wanted.Kinds {
		if !slices.Contains(kindWords(), kind) {
			hint := "kinds are " + strings.Join(kindWords(), ", ")
			if near := text.Near(kind, kindWords()); near != "" {
				return wanted, time.Time{}, usage(hint, "no such kind of event %q: did you mean %q?", kind, near)
			}
			return wanted, time.Time{}, usage(hint, "no such kind of event %q", kind)
		}
	}
	since := c.String("since")
	if ago, err := time.ParseDuration(since); err == nil && ago > 0 {
		wanted.After = "0"
		return wanted, time.Now().Add(-ago), nil
	}
	switch wanted.After = since; {
	case since == "" && wanted.Once:
		wanted.After = "0"
	case since != "" && strings.Trim(since, "0123456789-") != "":
		return wanted, time.Time{}, usage("--since 17 is behind event 17, --since 5m five minutes ago", "cannot read --since %q", since)
	}
	return wanted, time.Time{}, nil
}

// follow does something that may go on for ever: SIGINT and SIGTERM end it, and so they do a command that has done what it
// was asked for.
func follow(c *cli.Context, do func(context.Context) error) error {
	ctx, stop := signal.NotifyContext(c.Context, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := do(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

func showEvents(ctx context.Context, w io.Writer, client *control.Client, wanted control.EventsWanted, from time.Time,
	show func(io.Writer, control.Event, int) error,
) error {
	for e, err := range client.Events(ctx, wanted) {
		switch {
		case errors.Is(err, context.Canceled):
			return nil
		case err != nil:
			return err
		case e.Time.Before(from):
			continue
		}
		if err := show(w, e.Event, width(w)); err != nil {
			return err
		}
	}
	return nil
}

// leastWords is the width for words beside a time, where a terminal is hardly wider than that.
const leastWords = 20

// printEvent writes an event for people: when, whose, what, and why.
func printEvent(w io.Writer, e control.Event, width int) error {
	begin := when(e.Time, time.Now()) + "  "
	room := 0
	if width > 0 {
		room = max(width-len(begin), leastWords)
	}
	for i, line := range text.Wrap(text.Neutral(eventWords(&e)), room) {
		if i > 0 {
			begin = strings.Repeat(" ", len(begin))
		}
		if _, err := fmt.Fprintln(w, begin+line); err != nil {
			return err
		}
	}
	for _, last := range e.Lines {
		printNote(w, "| "+last, width)
	}
	return nil
}
