package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

// installFlags are those of commands that print files, or put them where other programs look for them.
func installFlags(more ...cli.Flag) []cli.Flag {
	return append(append([]cli.Flag{configFlag()}, more...),
		boolFlag("install", "write the files to where they belong, after showing what changes"),
		stringFlag("root", "", "with --install: the `DIRECTORY` that is taken for /"),
		stringFlag("output-dir", "", "write the files into this `DIRECTORY` instead, after showing what changes"),
		boolFlag("yes", "do not ask before writing"),
	)
}

// installer puts files in their place.
type installer struct {
	home  string // the directory they belong into
	files []wanted
	// after says what to do when they are there; existed are the names of those that only changed.
	after func(existed []string) []string
}

// wanted is a file as it is to be.
type wanted struct{ name, text string }

// errDeclined: somebody was asked, and it was not wanted.
var errDeclined = errors.New("nothing was written")

// where is the directory to write into, "" if the files are to be printed.
func (in *installer) where(c *cli.Context) (string, error) {
	root, dir := c.String("root"), c.String("output-dir")
	install := c.Bool("install")
	switch {
	case dir != "" && (install || root != ""):
		return "", usage("--install writes to "+in.home, "--output-dir goes without --install and --root")
	case dir != "":
		return dir, nil
	case install && root != "":
		root, err := filepath.Abs(root)
		return filepath.Join(root, in.home), err
	case install:
		return in.home, nil
	case root != "" || c.Bool("yes"):
		return "", usage("without it the files are printed", "--root and --yes are for --install")
	}
	return "", nil
}

// run shows what changes, asks, writes, and says what comes next.
func (in *installer) run(c *cli.Context, dir string) error {
	changes, err := differing(dir, in.files)
	if err != nil {
		return err
	}
	if len(changes) == 0 {
		_, _ = fmt.Fprintf(c.App.Writer, "up to date: %s\n", dir)
		return nil
	}
	for i := range changes {
		_, _ = c.App.Writer.Write(changes[i].diff())
	}
	if err := consent(c, len(changes)); err != nil {
		return err
	}
	if err := replaceAll(changes); err != nil {
		return err
	}
	var existed []string
	for i := range changes {
		_, _ = fmt.Fprintf(c.App.Writer, "wrote %s\n", changes[i].path)
		if changes[i].existed {
			existed = append(existed, filepath.Base(changes[i].path))
		}
	}
	if dir == in.home { // elsewhere nothing reads them yet
		_, _ = fmt.Fprintf(c.App.Writer, "next:\n  %s\n", strings.Join(in.after(existed), "\n  "))
	}
	return nil
}

// diff shows what changes in a file.
func (ch *change) diff() []byte {
	before := ch.path
	if !ch.existed {
		before = os.DevNull
	}
	return diff.Diff(before, ch.old, ch.path, ch.text)
}

// consent asks who sits at the terminal. Where nobody does, --yes must have said it.
func consent(c *cli.Context, files int) error {
	if c.Bool("yes") {
		return nil
	}
	stdin, ok := c.App.Reader.(*os.File)
	if !ok || !term.IsTerminal(int(stdin.Fd())) {
		return usage("look at the changes above; --yes writes them", "nobody can be asked: standard input is no terminal")
	}
	these := "these files"
	if files == 1 {
		these = "this file"
	}
	_, _ = fmt.Fprintf(c.App.ErrWriter, "write %s? [y/N] ", these)
	answer, err := bufio.NewReader(stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("cannot read answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errDeclined
}
