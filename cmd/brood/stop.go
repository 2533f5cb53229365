package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/progress"
	"github.com/broodctl/brood/supervisor"
)

func stopCommand() *cli.Command {
	return &cli.Command{
		Name:  "stop",
		Usage: "stop the workers gracefully, and the supervisor with the last of them",
		Flags: targetFlags(append(waitFlags(), boolFlag("force", "kill everything at once"), outputFlag(), noColorFlag())...),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			client, format, err := question(c)
			if err != nil {
				return err
			}
			w := &waiting{c: c, client: client, verb: supervisor.Stop, json: format == formatJSON}
			if c.Bool("force") {
				w.verb = supervisor.Kill
			}
			done, err := w.stop()
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

// stop asks for the end of the supervisor, and waits for it. Programs are told when it has come.
func (w *waiting) stop() (stopped, error) {
	ctx, leave := signal.NotifyContext(w.c.Context, syscall.SIGINT, syscall.SIGTERM)
	defer leave()
	within := w.c.Duration("timeout")
	asking, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	snap, err := statusWithin(asking, w.client, min(within, answerTime))
	if err != nil {
		return stopped{}, err
	}
	// Watched from before it is asked, so that its end cannot be missed. The kernel says who it is: the number in the
	// snapshot is of the supervisor's own pid namespace.
	peer, err := w.client.Peer(asking)
	if err != nil {
		return stopped{}, err
	}
	ended, err := watchEnd(peer.PIDFD)
	if err != nil {
		return stopped{}, fmt.Errorf("cannot watch supervisor: %w", err)
	}
	defer func() { _ = ended.Close() }()
	waits := w.c.Bool("wait")
	shown := func() {}
	if waits && !w.json {
		show, end := w.show(asking)
		shown = sync.OnceFunc(func() {
			end()
			show.End(progress.Verdict{})
		})
		defer shown()
	}
	_, err = w.client.Do(asking, w.verb, control.Body{}, 0)
	switch {
	case w.verb == supervisor.Kill && errors.Is(err, control.ErrNoAnswer): // it was quicker
	case err != nil:
		return stopped{}, tooLate(err, w.client, within)
	}
	if !waits {
		return stopped{snap.Name, "stopping", snap.Name + " is stopping"}, nil
	}
	err = ended.Wait(asking)
	shown()
	switch {
	case err == nil:
		return stopped{snap.Name, "stopped", snap.Name + " stopped"}, nil
	case ctx.Err() != nil:
		_, _ = fmt.Fprintf(w.c.App.ErrWriter, "\n%s goes on; brood status shows who is left\n", w.verb)
		return stopped{}, exitCode(exitLeft)
	default:
		return stopped{}, &userError{
			code: exitFailed,
			err:  fmt.Errorf("%s (pid %d) has not ended within %s: %w", snap.Name, peer.PID, within.Round(time.Millisecond), err),
			hint: "brood status shows who is left; brood stop --force kills them",
		}
	}
}
