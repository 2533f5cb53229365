package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/supervisor"
)

func waitFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "wait", Value: true, Usage: "wait for the end; --wait=false returns at once", EnvVars: env("wait")},
		durationFlag("timeout", 10*time.Minute, "how long to wait; what was asked for goes on"),
	}
}

func rollCommand() *cli.Command {
	return &cli.Command{
		Name:   "roll",
		Usage:  "replace every worker without losing a connection",
		Flags:  targetFlags(append(waitFlags(), abortFlag(), poolFlag(), outputFlag(), noColorFlag())...),
		Action: func(c *cli.Context) error { return askAlone(c, supervisor.Roll) },
	}
}

func reloadCommand() *cli.Command {
	return &cli.Command{
		Name:  "reload",
		Usage: "read the configuration again and apply what changed; the other workers are told by signal where they survive it",
		Description: "All that changed is applied as one transaction: if a part of it fails, everything goes back to what it was.\n" +
			"A supervisor without a configuration file, and one whose file did not change, tells its workers to read theirs: by signal where they survive it, else by a roll.",
		Flags:  targetFlags(append(waitFlags(), abortFlag(), poolFlag(), outputFlag(), noColorFlag())...),
		Action: func(c *cli.Context) error { return askAlone(c, supervisor.Reload) },
	}
}

func abortFlag() cli.Flag {
	return boolFlag("abort", "end the one that is under way, and go back to what was before")
}

func noColorFlag() cli.Flag { return boolFlag("no-color", "no colours, as NO_COLOR") }

func dumpCommand() *cli.Command {
	return &cli.Command{
		Name:  "dump",
		Usage: "make the workers write heap dumps, one after another",
		Flags: targetFlags(answerFlag(), poolFlag(), outputFlag()),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return send(c, request{verb: supervisor.Dump, body: control.Body{Pool: c.String("pool")}}, 0)
		},
	}
}

const scaleHint = "brood scale 6, brood scale +1, brood scale -1; with --pool NAME where there are several"

func scaleCommand() *cli.Command {
	return &cli.Command{
		Name:      "scale",
		Usage:     "run another number of workers",
		ArgsUsage: "N|+N|-N",
		Flags:     targetFlags(append(waitFlags(), poolFlag(), outputFlag(), noColorFlag())...),
		Action: func(c *cli.Context) error {
			if c.Args().Len() != 1 {
				return usage(scaleHint, "brood scale takes one number, not %d", c.Args().Len())
			}
			body, err := scaleBody(c.Args().First())
			if err != nil {
				return err
			}
			body.Pool = c.String("pool")
			return askAndShow(c, request{verb: supervisor.Scale, body: body})
		},
	}
}

// scaleBody reads 6, +1 or -1.
func scaleBody(word string) (control.Body, error) {
	n, err := strconv.Atoi(word)
	if err != nil || n == 0 {
		return control.Body{}, usage(scaleHint, "cannot scale to %q: it is no number of workers", word)
	}
	if strings.HasPrefix(word, "+") || n < 0 {
		return control.Body{Delta: n}, nil
	}
	return control.Body{Workers: n}, nil
}

// askAlone asks for something that takes no argument.
func askAlone(c *cli.Context, verb supervisor.Verb) error {
	if err := noArguments(c); err != nil {
		return err
	}
	return askAndShow(c, request{verb: verb, body: control.Body{Pool: c.String("pool")}})
}

// send asks for something, gives it so long to come to its end, and shows nothing meanwhile.
func send(c *cli.Context, req request, wait time.Duration) error {
	client, format, err := question(c)
	if err != nil {
		return err
	}
	if err := req.resolve(c, client); err != nil {
		return err
	}
	within := wait + answerIn(c)
	ctx, cancel := context.WithTimeout(c.Context, within)
	defer cancel()
	result, err := client.Do(ctx, req.verb, req.body, wait)
	switch {
	case errors.Is(err, control.ErrRefused):
		return refused(req.verb, result, err)
	case err != nil:
		return tooLate(err, client, within)
	case format == formatJSON:
		return printJSON(c.App.Writer, result)
	}
	_, _ = fmt.Fprintln(c.App.Writer, harmless(result.Text))
	return nil
}

// refused is what a supervisor said that did not do something.
func refused(verb supervisor.Verb, result control.Result, err error) error {
	e := &userError{code: exitFailed, err: err, lines: result.Lines, done: result.Text}
	if (verb == supervisor.Roll || verb == supervisor.Reload) && len(result.Lines) > 0 {
		e.hint = "the lines above are the new worker's last words; the old workers serve on"
	} else if no, ok := errors.AsType[*control.RefusedError](err); ok {
		e.hint = no.Hint()
	}
	return e
}
