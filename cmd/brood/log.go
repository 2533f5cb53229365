package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"
	"github.com/rs/zerolog/diode"
	"golang.org/x/term"
)

// logBacklog is how many lines wait for a slow reader of our log before some are dropped: the loop never waits for it.
const logBacklog = 10000

// newLogger makes the supervisor's log. The function that comes with it writes what is left.
func newLogger(set *settings, stderr io.Writer) (zerolog.Logger, func()) {
	level, err := logLevel(set.logLevel)
	if err != nil {
		level = zerolog.InfoLevel // checked with the flags
	}
	tty := isTerminal(stderr)
	zerolog.TimeFieldFormat = "2006-01-02T15:04:05.000Z07:00"
	zerolog.TimestampFunc = func() time.Time { return time.Now().UTC() }
	zerolog.DurationFieldUnit = time.Millisecond
	zerolog.ErrorHandler = func(error) {} // a log that cannot be written has nobody to tell
	out := stderr
	if set.logFormat == "text" || set.logFormat == "auto" && tty {
		out = zerolog.ConsoleWriter{Out: stderr, NoColor: !set.colour(tty), TimeFormat: "15:04:05.000"}
	}
	var dropped io.Writer = out
	w := diode.NewWriter(out, logBacklog, 0, func(n int) {
		_, _ = fmt.Fprintf(dropped, `{"level":"warn","lines":%d,"message":"log lines dropped: the reader is too slow"}`+"\n", n)
	})
	return zerolog.New(w).Level(level).With().Timestamp().Logger(), func() { _ = w.Close() }
}

// colour reports whether to write in colours: https://no-color.org, and only for people.
func (set *settings) colour(tty bool) bool {
	return tty && !set.noColor && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

func logLevel(word string) (zerolog.Level, error) {
	return oneOf("log-level", word, map[string]zerolog.Level{
		"trace": zerolog.TraceLevel, "debug": zerolog.DebugLevel, "info": zerolog.InfoLevel,
		"warn": zerolog.WarnLevel, "error": zerolog.ErrorLevel,
	})
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
