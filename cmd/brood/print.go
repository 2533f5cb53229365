package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

const (
	formatTable = "table"
	formatJSON  = "json"
)

// outputFormat is table or json.
func outputFormat(c *cli.Context) (string, error) {
	format := c.String("output")
	if format != formatTable && format != formatJSON {
		return "", usage("", "no such output: %q: it is table or json", format)
	}
	return format, nil
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// printed is stdout, which remembers the first write that failed: who prints a table has better things to do, and a
// command whose words went nowhere did not do what it was asked for. A pipe that nobody reads ends the program by
// SIGPIPE, as everywhere.
type printed struct {
	io.Writer
	err error
}

func (p *printed) Write(b []byte) (int, error) {
	n, err := p.Writer.Write(b)
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("cannot write output: %w", err)
	}
	return n, err
}

// width is how many columns there are for a table: those of the terminal, or what COLUMNS says. 0 knows no bounds: a pipe
// or a file has none.
func width(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	fd, tty := terminal(w)
	if !tty {
		return 0
	}
	n, _, err := term.GetSize(fd)
	if err != nil {
		return 0
	}
	return n
}

// terminal reports whether a writer is one, and its descriptor.
func terminal(w io.Writer) (fd int, is bool) {
	if p, ok := w.(*printed); ok {
		w = p.Writer
	}
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return -1, false
	}
	return int(f.Fd()), term.IsTerminal(int(f.Fd()))
}

// colourOn reports whether to write in colours: https://no-color.org, and only for people.
func colourOn(tty, without bool) bool {
	return tty && !without && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// when is the time of day here, with the date if that is not today's: what a quiet worker said is kept for long.
func when(t, now time.Time) string {
	const clock, date = "15:04:05.000", time.DateOnly
	t, now = t.Local(), now.Local()
	if t.Format(date) == now.Format(date) {
		return t.Format(clock)
	}
	return t.Format(date + " " + clock)
}
