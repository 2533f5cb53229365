package main

import (
	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/supervisor"
)

func restartCommand() *cli.Command {
	return &cli.Command{
		Name:      "restart",
		Usage:     "replace the worker of one slot without losing a connection",
		ArgsUsage: "POOL.SLOT",
		Description: "Its successor is ready first, as in a roll. It begins when no rollout and no other replacement is under way.\n" +
			"If the successor fails the command says why, the worker serves on, and it is tried again.",
		Flags: targetFlags(append(waitFlags(), outputFlag(), noColorFlag())...),
		Action: func(c *cli.Context) error {
			if c.Args().Len() != 1 {
				return usage("brood restart web.0", "brood restart takes one slot, not %d", c.Args().Len())
			}
			return askAndShow(c, request{verb: supervisor.Restart, at: c.Args().First()})
		},
	}
}

func signalCommand() *cli.Command {
	return &cli.Command{
		Name:      "signal",
		Usage:     "send a signal to the worker of a slot, or to all workers of a pool, that survive it",
		ArgsUsage: "POOL[.SLOT] SIGNAL",
		Description: "A signal for which a worker has no handler, and of which it would die, is not sent.\n" +
			"roll, restart, scale and stop are for what has to end.",
		Flags: targetFlags(answerFlag(), boolFlag("force", "also what the worker would die of"), outputFlag()),
		Action: func(c *cli.Context) error {
			if c.Args().Len() != 2 {
				return usage("brood signal web.0 USR1", "brood signal takes a pool or a slot, and a signal")
			}
			name := c.Args().Get(1)
			if _, err := config.ParseSignal(name); err != nil {
				return &userError{code: exitUsage, err: err, hint: "brood signal web.0 USR1"}
			}
			body := control.Body{Signal: name, Force: c.Bool("force")}
			return send(c, request{verb: supervisor.Signal, body: body, at: c.Args().First()}, c.Duration("timeout"))
		},
	}
}
