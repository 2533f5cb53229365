package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/text"
)

func logsCommand() *cli.Command {
	return &cli.Command{
		Name:      "logs",
		Usage:     "show what workers have written, or write",
		ArgsUsage: "[POOL[.SLOT]]",
		Description: "Of each slot the last 64 KiB are kept, also of workers that are gone.\n" +
			"With --output json it is one object per line. On a terminal what would steer it is made harmless, but for colours.",
		Flags: targetFlags(
			boolFlag("follow", "go on until SIGINT, or until the supervisor ends", "f"),
			stringFlag("since", "", "only what is no older than `DURATION`, or than a time of RFC 3339: 5m"),
			intFlag("lines", "of what is kept the last `N` lines; 0 is all"),
			stringFlag("stream", "", "only stdout, or stderr"),
			noColorFlag(), outputFlag(),
		),
		Action: func(c *cli.Context) error {
			wanted, err := logsWanted(c)
			if err != nil {
				return err
			}
			client, format, err := question(c)
			if err != nil {
				return err
			}
			req := request{at: c.Args().First()}
			if err := req.resolve(c, client); err != nil {
				return err
			}
			wanted.Pool, wanted.Slot = req.body.Pool, req.body.Slot
			_, tty := terminal(c.App.Writer)
			reader := &logReader{w: c.App.Writer, tty: tty, colour: colourOn(tty, c.Bool("no-color"))}
			reader.colours = regexp.MustCompile("\x1b\\[[0-9;:]*m")
			show := reader.print
			if format == formatJSON {
				show = reader.object
			}
			err = follow(c, func(ctx context.Context) error { return reader.read(ctx, client, wanted, show) })
			if err == nil && !reader.any && !wanted.Follow && format == formatTable {
				_, err = fmt.Fprintln(c.App.ErrWriter, nothingKept)
			}
			return err
		},
	}
}

// nothingKept is for who sees nothing, and wonders why.
const nothingKept = "no such line is kept; of workers whose log has the mode inherit there never is"

func logsWanted(c *cli.Context) (control.LogsWanted, error) {
	wanted := control.LogsWanted{Since: c.String("since"), Last: c.Int("lines"), Follow: c.Bool("follow"), Stream: c.String("stream")}
	if c.Args().Len() > 1 {
		return wanted, usage("brood logs web, brood logs web.0", "brood logs takes one pool or slot, not %d", c.Args().Len())
	}
	if s := wanted.Stream; s != "" && s != "stdout" && s != "stderr" {
		return wanted, usage("", "no such stream: %q: it is stdout or stderr", s)
	}
	if wanted.Last < 0 {
		return wanted, usage("", "cannot show %d lines", wanted.Last)
	}
	if wanted.Since != "" {
		ago, err := time.ParseDuration(wanted.Since)
		_, at := time.Parse(time.RFC3339, wanted.Since)
		if (err != nil || ago < 0) && at != nil {
			return wanted, usage("--since 5m, --since 2026-03-01T09:00:00Z", "cannot read --since %q", wanted.Since)
		}
	}
	return wanted, nil
}

// logReader shows lines of logs.
type logReader struct {
	w      io.Writer
	tty    bool
	colour bool
	any    bool // there was a line
	label  int  // the widest so far
	// colours finds SGR of ECMA-48.
	colours *regexp.Regexp
}

func (r *logReader) read(ctx context.Context, client *control.Client, wanted control.LogsWanted, show func(*control.LogLine) error) error {
	for line, err := range client.Logs(ctx, wanted) {
		switch {
		case errors.Is(err, context.Canceled):
			return nil
		case err != nil:
			return err
		}
		r.any = true
		if err := show(&line); err != nil {
			return err
		}
	}
	return nil
}

func (r *logReader) object(line *control.LogLine) error { return json.NewEncoder(r.w).Encode(line) }

// print writes a line with the time, and the worker in front of it.
func (r *logReader) print(line *control.LogLine) error {
	label := text.Neutral(line.Pool) + ".pre"
	if line.Slot != nil {
		label = text.Neutral(line.Pool) + "." + strconv.Itoa(*line.Slot)
	}
	r.label = max(r.label, text.Width(label))
	head := when(line.Time, time.Now()) + " " + text.Pad(label, r.label) + " | "
	if line.Missed > 0 {
		if _, err := fmt.Fprintf(r.w, "%s%s %d lines are not kept any more\n", head, text.Ellipsis, line.Missed); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(r.w, "%s%s\n", head, r.harmless(line.Text))
	return err
}

// harmless is a line as it may be shown: as it is to a file or a pipe, and on a terminal without what could steer that, but
// for colours, which end with the line.
func (r *logReader) harmless(line string) string {
	if !r.tty {
		return line
	}
	var b strings.Builder
	at := 0
	for _, found := range r.colours.FindAllStringIndex(line, -1) {
		b.WriteString(text.Neutral(line[at:found[0]]))
		if r.colour {
			b.WriteString(line[found[0]:found[1]])
		}
		at = found[1]
	}
	b.WriteString(text.Neutral(line[at:]))
	if at > 0 && r.colour {
		b.WriteString("\x1b[0m")
	}
	return b.String()
}
