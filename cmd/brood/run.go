package main

import (
	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/control"
)

func runCommand() *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "start a supervisor: N workers of one command",
		ArgsUsage: "[--] COMMAND [ARGUMENT...]",
		Description: "Arguments, --env and --dir are templates: {{.Slot}} {{.WorkerID}} {{.Workers}} {{.Generation}} {{.Pool}} " +
			"{{.FD.http}} {{.Port.http}} {{.Addr.http}}.\n" +
			"The workers find their sockets by LISTEN_FDS, their place in BROOD_SLOT and BROOD_WORKER_ID.",
		Flags: runFlags(),
		Action: func(c *cli.Context) error {
			set, err := readSettings(c)
			if err != nil {
				return err
			}
			if err := control.CheckName(set.name); err != nil {
				return &userError{code: exitUsage, err: err, hint: "give another one with --name"}
			}
			return serve(set)
		},
	}
}
