package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/host"
	"github.com/broodctl/brood/supervisor/plan"
)

func planCommand() *cli.Command {
	return &cli.Command{
		Name:  "plan",
		Usage: "show what a reload would do, and do nothing",
		Description: "Without --from it asks the supervisor that runs: it reads its file and compares it with what it does.\n" +
			"With --from it compares two files: brood plan --from old.toml -c new.toml.",
		Flags: targetFlags(configFlag(), stringFlag("from", "", "`FILE` to compare with, instead of a supervisor that runs"), answerFlag(), outputFlag()),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			format, err := outputFormat(c)
			if err != nil {
				return err
			}
			view, err := makePlan(c)
			if err != nil {
				return err
			}
			if format == formatJSON {
				return printJSON(c.App.Writer, view)
			}
			var words strings.Builder
			_ = view.Print(&words)
			_, err = fmt.Fprint(c.App.Writer, harmless(words.String()))
			return err
		},
	}
}

func makePlan(c *cli.Context) (*plan.View, error) {
	switch from := c.String("from"); {
	case from != "" && c.String("config") == "":
		return nil, usage("brood plan --from old.toml -c new.toml", "--from needs a file to compare with")
	case from != "":
		return comparePlan(c, from)
	case c.String("config") != "":
		return nil, usage("brood plan --from old.toml -c new.toml, or brood plan alone", "the supervisor that runs reads its own file; -c goes with --from")
	}
	client, err := target(c)
	if err != nil {
		return nil, err
	}
	within := c.Duration("timeout")
	ctx, cancel := context.WithTimeout(c.Context, within)
	defer cancel()
	result, err := client.Do(ctx, supervisor.Plan, control.Body{}, within)
	if err != nil {
		return nil, tooLate(err, client, within)
	}
	var view plan.View
	if err := json.Unmarshal(result.Plan, &view); err != nil {
		return nil, fmt.Errorf("cannot read plan: %w", err)
	}
	return &view, nil
}

// comparePlan compares two files. Nobody knows what workers there are, nor which sockets systemd will pass.
func comparePlan(c *cli.Context, from string) (*plan.View, error) {
	to, err := loadConfig(c)
	if err != nil {
		return nil, err
	}
	old, err := loadFile(from, config.Here(), os.ReadFile, func(*config.File) {})
	if err != nil {
		return nil, err
	}
	before, after := host.Complete(desired(old), nil), host.Complete(desired(to), nil)
	before.Fixed["supervisor.name"] = after.Fixed["supervisor.name"] // two files have two names
	p, err := plan.Compare(before, after, nil)
	if err != nil {
		return nil, err
	}
	view := p.View(func(string) plan.Hearing { return plan.Unknown })
	return &view, nil
}
