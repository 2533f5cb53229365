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
		Flags: targetFlags(append(waitFlags(), boolFlag("force", "kill everything at once"), outputFlag())...),
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
			done, err := stop(c, client)
			switch {
			case err != nil:
				return err
			case format == formatJSON:
				return printJSON(c.App.Writer, done)
			}
			_, err = fmt.Fprintln(c.App.Writer, done.Text)
			return err
		},
	}
}

// stopped is what brood stop prints for programs.
type stopped struct {
	Name  string `json:"name"`
	State string `json:"state"` // stopping, stopped
	Text  string `json:"text"`
}

func stop(c *cli.Context, client *control.Client) (stopped, error) {
	within := c.Duration("timeout")
	ctx, cancel := context.WithTimeout(c.Context, within)
	defer cancel()
	snap, err := statusWithin(ctx, client, min(within, answerTime))
	if err != nil {
		return stopped{}, err
	}
	// Watched from before it is asked, so that its end cannot be missed. The kernel says who it is: the number in the
	// snapshot is of the supervisor's own pid namespace.
	peer, err := client.Peer(ctx)
	if err != nil {
		return stopped{}, err
	}
	ended, err := watchEnd(peer.PIDFD)
	if err != nil {
		return stopped{}, fmt.Errorf("cannot watch supervisor: %w", err)
	}
	defer func() { _ = ended.Close() }()
	verb := supervisor.Stop
	if c.Bool("force") {
		verb = supervisor.Kill
	}
	if _, err := client.Do(ctx, verb, control.Body{}, 0); err != nil && !(verb == supervisor.Kill && errors.Is(err, control.ErrNoAnswer)) {
		return stopped{}, tooLate(err, client, within)
	}
	if !c.Bool("wait") {
		return stopped{snap.Name, "stopping", snap.Name + " is stopping"}, nil
	}
	if err := ended.Wait(ctx); err != nil {
		return stopped{}, &userError{
			code: exitFailed,
			err:  fmt.Errorf("%s (pid %d) has not ended within %s: %w", snap.Name, peer.PID, within.Round(time.Millisecond), err),
			hint: "brood status shows who is left; brood stop --force kills them",
		}
	}
	return stopped{snap.Name, "stopped", snap.Name + " stopped"}, nil
}
