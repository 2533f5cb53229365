package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/text"
)

// helpWidth is that of help which nobody reads on a terminal, and the most that is easy to read.
const helpWidth = 80

// helpWanted reports whether help is asked for in place of what a line says: about a command, or nil for all of them.
func helpWanted(app *cli.App, args []string) (about *cli.Command, wanted bool) {
	if len(args) < 2 {
		return nil, true
	}
	if about = app.Command(args[1]); about == nil {
		return nil, slices.Contains(cli.HelpFlag.Names(), flagName(args[1])) && isFlag(args[1])
	}
	l := readLine(about, args[2:])
	for _, name := range cli.HelpFlag.Names() {
		if _, given := l.given[name]; given {
			return about, true
		}
	}
	return nil, false
}

// printHelp says what there is, in so many columns.
func printHelp(w io.Writer, app *cli.App, about *cli.Command, width int) {
	if width < 1 {
		width = helpWidth
	}
	if about != nil {
		printCommandHelp(w, about, width)
		return
	}
	_, _ = fmt.Fprintf(w, "brood: %s\n\nusage: brood COMMAND [FLAG...] [ARGUMENT...]\n", app.Usage)
	for _, g := range commandGroups() {
		_, _ = fmt.Fprintf(w, "\n%s\n", g.about)
		for _, name := range g.commands {
			printEntry(w, "  "+text.Pad(name, 11)+"  ", app.Command(name).Usage, width)
		}
	}
	_, _ = fmt.Fprintf(w, "\nbrood COMMAND --help says more about one, and so does brood(1).\n")
}

// commandGroup are commands that one looks for at the same time.
type commandGroup struct {
	about    string
	commands []string
}

func commandGroups() []commandGroup {
	return []commandGroup{
		{"to begin", []string{commandRun, "check", "plan", "units", "nft"}},
		{"to see", []string{"ps", "status", "top", "events", "logs", "healthcheck"}},
		{"to steer", []string{"reload", "roll", "restart", "scale", "signal", "dump", "fleet", "upgrade", "stop"}},
		{"and", []string{"completion", "version"}},
	}
}

func printCommandHelp(w io.Writer, c *cli.Command, width int) {
	printEntry(w, "brood "+c.Name+": ", c.Usage, width)
	_, _ = fmt.Fprintln(w)
	printEntry(w, "usage: ", strings.TrimSpace("brood "+c.Name+" [FLAG...] "+c.ArgsUsage), width)
	if c.Description != "" {
		_, _ = fmt.Fprintln(w)
		for paragraph := range strings.Lines(c.Description) {
			printEntry(w, "", strings.TrimSuffix(paragraph, "\n"), width)
		}
	}
	flags := c.VisibleFlags()
	if len(flags) == 0 {
		return
	}
	_, _ = fmt.Fprintf(w, "\nflags; each has a variable too, as %s of --%s\n", env(flags[0].Names()[0])[0], flags[0].Names()[0])
	for _, f := range flags {
		if doc, ok := f.(cli.DocGenerationFlag); ok && f.Names()[0] != "help" {
			printFlag(w, doc, width)
		}
	}
}

// flagColumn is where the words about a flag begin, in the same line if it is short enough.
const flagColumn = 22

func printFlag(w io.Writer, f cli.DocGenerationFlag, width int) {
	names := slices.Clone(f.Names())
	slices.Reverse(names) // the short one first
	for i := range names {
		names[i] = dashed(names[i])
	}
	head := "  " + strings.Join(names, ", ")
	about := f.GetUsage()
	if f.TakesValue() {
		head += " " + valueWord(f)
	}
	if d := defaultWord(f); d != "" && !strings.Contains(about, "default") {
		about += "; default: " + d
	}
	head += "  "
	if len(head) > flagColumn {
		_, _ = fmt.Fprintln(w, strings.TrimRight(head, " "))
		head = ""
	}
	printEntry(w, text.Pad(head, flagColumn), strings.ReplaceAll(about, "`", ""), width)
}

// valueWord is what stands for a flag's value: what its description has in back quotes, or what kind of value it is.
func valueWord(f cli.DocGenerationFlag) string {
	if words := strings.Split(f.GetUsage(), "`"); len(words) > 2 {
		return words[1]
	}
	switch f.(type) {
	case *cli.DurationFlag:
		return "DURATION"
	case *cli.IntFlag:
		return "N"
	}
	return "WORD"
}

// defaultWord is the default of a flag that has one to speak of.
func defaultWord(f cli.DocGenerationFlag) string {
	switch f := f.(type) {
	case *cli.StringFlag:
		return f.Value
	case *cli.DurationFlag:
		if f.Value > 0 {
			return config.Duration(f.Value).String()
		}
	case *cli.IntFlag:
		if f.Value != 0 {
			return strconv.Itoa(f.Value)
		}
	}
	return ""
}

// printEntry writes a text behind a head, with all its lines below each other.
func printEntry(w io.Writer, head, about string, width int) {
	indent := text.Width(head)
	if strings.TrimSpace(head) != "" && indent > flagColumn {
		indent = 4 // a sentence that goes on
	}
	first := true
	for _, line := range text.Wrap(about, max(width-text.Width(head), leastWords)) {
		if first {
			_, _ = fmt.Fprintln(w, strings.TrimRight(head+line, " "))
			first = false
			continue
		}
		_, _ = fmt.Fprintln(w, strings.Repeat(" ", indent)+line)
	}
}
