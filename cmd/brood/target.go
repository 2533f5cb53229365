package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/supervisor"
)

// answerTime is how long a supervisor may take to say that it is there.
const answerTime = 5 * time.Second

// answerFlag bounds commands that ask without waiting for anything to happen.
func answerFlag() cli.Flag {
	return durationFlag("timeout", answerTime, "how long a supervisor may take to answer")
}

// answerIn is how long a supervisor may take to say that it is there: what --timeout says, unless that is about an end for
// which somebody waits.
func answerIn(c *cli.Context) time.Duration {
	if flags := c.Command.Flags; flagNamed(flags, "timeout") == nil || flagNamed(flags, "wait") != nil {
		return answerTime
	}
	return c.Duration("timeout")
}

// question is whom a command asks, and how the answer is to be shown.
func question(c *cli.Context) (client *control.Client, format string, err error) {
	if format, err = outputFormat(c); err == nil {
		client, err = target(c)
	}
	return client, format, err
}

// target finds the supervisor that a command is for: the one that was named, else the only one that answers.
func target(c *cli.Context) (*control.Client, error) {
	if path := c.String("control"); path != "" {
		return control.NewClient(path), nil
	}
	name := c.String("name")
	if name != "" {
		if err := control.CheckName(name); err != nil {
			return nil, &userError{code: exitUsage, err: err}
		}
	}
	found, denied := control.Find(os.Getenv, os.Geteuid(), name)
	var alive, silent []*control.Client
	var names []string
	within := answerIn(c)
	for _, s := range survey(c.Context, found, within) {
		no, isDenied := errors.AsType[*control.DeniedError](s.err)
		switch {
		case s.err == nil:
			alive = append(alive, control.NewClient(s.path))
			names = append(names, control.Name(s.path))
		case isDenied:
			denied = append([]*control.DeniedError{no}, denied...) // a socket says more than a directory
		case errors.Is(s.err, context.DeadlineExceeded):
			silent = append(silent, control.NewClient(s.path))
		}
	}
	switch {
	case len(alive) == 1:
		return alive[0], nil
	case len(alive) > 1:
		return nil, usage("say which one with --name or --control; brood ps shows them", "more than one supervisor is running: %s", strings.Join(names, ", "))
	case len(silent) > 0:
		return nil, tooLate(context.DeadlineExceeded, silent[0], within)
	case len(denied) > 0: // somebody may be there, for others
		return nil, denied[0]
	case name != "":
		return nil, nobodyOf(name)
	default:
		return nil, control.ErrNoAnswer
	}
}

// nobodyOf says that nobody has a name, and who has one like it.
func nobodyOf(name string) error {
	found, _ := control.Find(os.Getenv, os.Geteuid(), "")
	var names []string
	for _, path := range found {
		if other := control.Name(path); other != name {
			names = append(names, other)
		}
	}
	if near := text.Near(name, names); near != "" {
		return fmt.Errorf("%w to the name %s: did you mean %q?", control.ErrNoAnswer, name, near)
	}
	return fmt.Errorf("%w to the name %s", control.ErrNoAnswer, name)
}

func statusWithin(ctx context.Context, client *control.Client, within time.Duration) (supervisor.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	snap, err := client.Status(ctx)
	return snap, tooLate(err, client, within)
}

// tooLate says of a supervisor that took too long that it does not answer: it may be stopped, or have no CPU.
func tooLate(err error, client *control.Client, within time.Duration) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &userError{
		code: exitNoAnswer, err: fmt.Errorf("%w on %s within %s", control.ErrNoAnswer, client.Path(), within),
		hint: "it is there and does not react: it may be stopped, or have no CPU",
	}
}
