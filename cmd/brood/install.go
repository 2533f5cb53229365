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
		outputFlag(),
	)
}

// installer puts files in their place.
type installer struct {
	home  string // the directory they belong into
	files []wanted
	notes []string // about what the files need elsewhere
	// after says what to do when they are there; existed are the names of those that only changed.
	after func(existed []string) []string
}

// installation is what is printed for programs.
type installation struct {
	Files []placed `json:"files"`
	Notes []string `json:"notes,omitempty"`
	Next  []string `json:"next,omitempty"` // what to do now that they are where they belong
}

// placed is a file, and what became of it.
type placed struct {
	Path   string `json:"path"`
	Text   string `json:"text"`
	Change string `json:"change,omitempty"` // created, replaced, none; "" if it was not to be written
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

// run shows the files, or writes them.
func (in *installer) run(c *cli.Context, show func(w io.Writer)) error {
	format, err := outputFormat(c)
	if err != nil {
		return err
	}
	dir, err := in.where(c)
	if err != nil {
		return err
	}
	for _, note := range in.notes {
		_, _ = fmt.Fprintf(c.App.ErrWriter, "note: %s\n", note)
	}
	switch {
	case dir != "":
		return in.write(c, dir, format)
	case format == formatJSON:
		return printJSON(c.App.Writer, in.installed(in.home, nil, ""))
	}
	show(c.App.Writer)
	return nil
}

// write shows what changes, asks, writes, and says what comes next.
func (in *installer) write(c *cli.Context, dir, format string) error {
	changes, err := differing(dir, in.files)
	if err != nil {
		return err
	}
	w := c.App.Writer
	if format == formatJSON {
		w = c.App.ErrWriter // who is asked sees it there
	}
	for i := range changes {
		_, _ = w.Write(changes[i].diff())
	}
	if len(changes) > 0 {
		if err := consent(c, len(changes)); err != nil {
			return err
		}
		if err := replaceAll(changes); err != nil {
			return err
		}
	}
	done := in.installed(dir, changes, "none")
	if format == formatJSON {
		return printJSON(c.App.Writer, done)
	}
	if len(changes) == 0 {
		_, _ = fmt.Fprintf(w, "up to date: %s\n", dir)
	}
	for i := range changes {
		_, _ = fmt.Fprintf(w, "wrote %s\n", changes[i].path)
	}
	if len(done.Next) > 0 {
		_, _ = fmt.Fprintf(w, "next:\n  %s\n", strings.Join(done.Next, "\n  "))
	}
	return nil
}

// installed is what has become of the files by some changes; without one it is otherwise.
func (in *installer) installed(dir string, changes []change, otherwise string) installation {
	all := installation{Notes: in.notes}
	var existed []string
	for _, f := range in.files {
		p := placed{Path: filepath.Join(dir, f.name), Text: f.text, Change: otherwise}
		for i := range changes {
			switch {
			case changes[i].path != p.Path:
			case changes[i].existed:
				p.Change = "replaced"
				existed = append(existed, f.name)
			default:
				p.Change = "created"
			}
		}
		all.Files = append(all.Files, p)
	}
	if len(changes) > 0 && dir == in.home { // elsewhere nothing reads them yet
		all.Next = in.after(existed)
	}
	return all
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
