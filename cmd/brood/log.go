package main

import (
	"io"
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/supervisor"
)

// newLogger makes the supervisor's log. The writer must not block: the loop writes to it.
func newLogger(set *settings, w io.Writer, tty bool) zerolog.Logger {
	level, err := zerolog.ParseLevel(set.cfg.LogLevel)
	if err != nil {
		level = zerolog.InfoLevel // read with the configuration, so it cannot be
	}
	zerolog.TimeFieldFormat = "2006-01-02T15:04:05.000Z07:00"
	zerolog.TimestampFunc = func() time.Time { return time.Now().UTC() }
	zerolog.DurationFieldUnit = time.Millisecond
	zerolog.ErrorHandler = func(error) {} // a log that cannot be written has nobody to tell
	if set.cfg.LogFormat == "text" || set.cfg.LogFormat == "auto" && tty {
		w = zerolog.ConsoleWriter{Out: w, NoColor: !set.colour(tty), TimeFormat: "15:04:05.000", FieldsOrder: supervisor.LogFields()}
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}

// colour reports whether to write in colours.
func (set *settings) colour(tty bool) bool {
	return colourOn(tty, set.noColor)
}
