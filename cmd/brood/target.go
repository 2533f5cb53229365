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
)

// answerTime is how long a supervisor may take to say that it is there.
const answerTime = 5 * time.Second

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
	var alive []*control.Client
	var names []string
	found, denied := control.Find(os.Getenv, os.Geteuid(), name)
	for _, path := range found {
		client := control.NewClient(path)
		err := answers(c.Context, client)
		if err == nil {
			alive = append(alive, client)
			names = append(names, control.Name(path))
		} else if no, ok := errors.AsType[*control.DeniedError](err); ok {
			denied = append([]*control.DeniedError{no}, denied...) // a socket says more than a directory
		}
	}
	switch {
	case len(alive) == 1:
		return alive[0], nil
	case len(alive) > 1:
		return nil, usage("say which one with --name or --control", "more than one supervisor is running: %s", strings.Join(names, ", "))
	case len(denied) > 0: // somebody may be there, for others
		return nil, denied[0]
	case name != "":
		return nil, fmt.Errorf("%w to the name %s", control.ErrNoAnswer, name)
	default:
		return nil, control.ErrNoAnswer
	}
}

func answers(ctx context.Context, client *control.Client) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	_, err := client.Status(ctx)
	return err
}
