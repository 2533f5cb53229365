package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/supervisor"
)

func stopCommand() *cli.Command {
	return &cli.Command{
		Name:  "stop",
		Usage: "stop the workers gracefully, and the supervisor with the last of them",
		Flags: targetFlags(append(waitFlags(), boolFlag("force", "kill everything at once"))...),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			client, err := target(c)
			if err != nil {
				return err
			}
			return stop(c, client)
		},
	}
}

func stop(c *cli.Context, client *control.Client) error {
	ctx, cancel := context.WithTimeout(c.Context, c.Duration("timeout"))
	defer cancel()
	snap, err := client.Status(ctx)
	if err != nil {
		return err
	}
	// Watched from before it is asked, so that its end cannot be missed. The kernel says who it is: the number in the
	// snapshot is of the supervisor's own pid namespace.
	peer, err := client.Peer(ctx)
	if err != nil {
		return err
	}
	ended, err := watchEnd(peer.PIDFD)
	if err != nil {
		return fmt.Errorf("cannot watch supervisor: %w", err)
	}
	defer func() { _ = ended.Close() }()
	verb := supervisor.Stop
	if c.Bool("force") {
		verb = supervisor.Kill
	}
	if _, err := client.Do(ctx, verb, control.Body{}, 0); err != nil && !(verb == supervisor.Kill && errors.Is(err, control.ErrNoAnswer)) {
		return err
	}
	if !c.Bool("wait") {
		_, _ = fmt.Fprintf(c.App.Writer, "%s is stopping\n", snap.Name)
		return nil
	}
	if err := ended.Wait(ctx); err != nil {
		return &userError{
			code: exitFailed,
			err:  fmt.Errorf("%s (pid %d) has not ended within %s: %w", snap.Name, peer.PID, c.Duration("timeout").Round(time.Millisecond), err),
			hint: "brood status shows who is left; brood stop --force kills them",
		}
	}
	_, _ = fmt.Fprintf(c.App.Writer, "%s stopped\n", snap.Name)
	return nil
}
