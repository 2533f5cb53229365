package main

import (
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/supervisor"
)

// newLogger makes the supervisor's log. The writer must not block: the loop writes to it.
func newLogger(set *settings, w io.Writer, tty bool) zerolog.Logger {
	level, err := logLevel(set.logLevel)
	if err != nil {
		level = zerolog.InfoLevel // checked with the flags
	}
	zerolog.TimeFieldFormat = "2006-01-02T15:04:05.000Z07:00"
	zerolog.TimestampFunc = func() time.Time { return time.Now().UTC() }
	zerolog.DurationFieldUnit = time.Millisecond
	zerolog.ErrorHandler = func(error) {} // a log that cannot be written has nobody to tell
	if set.logFormat == "text" || set.logFormat == "auto" && tty {
		w = zerolog.ConsoleWriter{Out: w, NoColor: !set.colour(tty), TimeFormat: "15:04:05.000", FieldsOrder: supervisor.LogFields()}
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
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
