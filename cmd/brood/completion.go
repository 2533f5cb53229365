package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/contrib/completions"
)

func completionCommand() *cli.Command {
	shells := strings.Join(completions.Shells(), "|")
	return &cli.Command{
		Name:        "completion",
		Usage:       "print the script by which a shell completes command lines",
		ArgsUsage:   shells,
		Description: "In ~/.bashrc: source <(brood completion bash). For the others see contrib/completions.",
		Action: func(c *cli.Context) error {
			script, ok := completions.Script(c.Args().First())
			if !ok || c.Args().Len() != 1 {
				return usage("source <(brood completion bash)", "brood completion takes one of %s", shells)
			}
			_, err := fmt.Fprint(c.App.Writer, script)
			return err
		},
	}
}
