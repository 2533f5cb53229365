package main

import (
	"io"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/supervisor"
)

// look is how something is shown to people: in so many columns, 0 knows no bounds, and perhaps in colours.
type look struct {
	width  int
	colour bool
}

// lookOf is that of a command's output.
func lookOf(c *cli.Context, w io.Writer) look {
	_, tty := terminal(w)
	return look{width: width(w), colour: colourOn(tty, c.Bool("no-color"))}
}

// The colours, as SGR of ECMA-48 numbers them.
const (
	colourGood = "32"
	colourSoon = "33"
	colourBad  = "31"
)

// paint colours a line; "" leaves it as it is.
func (l look) paint(colour, line string) string {
	if !l.colour || colour == "" || line == "" {
		return line
	}
	return "\x1b[" + colour + "m" + line + "\x1b[0m"
}

// stateColour is that of a state of a supervisor.
func stateColour(state string) string {
	switch state {
	case supervisor.StateReady:
		return colourGood
	case supervisor.StateStarting:
		return colourSoon
	}
	return colourBad
}
