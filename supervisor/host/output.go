package host

import (
	"fmt"

	"golang.org/x/term"

	"github.com/broodctl/brood/internal/logs"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/plan"
)

// screen is what is behind a descriptor.
func screen(fd int, colours bool) logs.Screen {
	switch tty := term.IsTerminal(fd); {
	case !tty:
		return logs.NoScreen
	case colours:
		return logs.ColourScreen
	}
	return logs.PlainScreen
}

// openOutput makes of the words of a pool where its workers' output goes; tty is whether people see it.
func openOutput(mux *logs.Mux, tty bool) func(supervisor.Speaker, plan.Log) (supervisor.Output, error) {
	return func(of supervisor.Speaker, log plan.Log) (supervisor.Output, error) {
		who := logs.Worker{Pool: of.Pool, Slot: of.Slot, ID: of.WorkerID}
		set := logs.Settings{Mode: outputMode(log.Mode, tty), Backpressure: log.Backpressure}
		if set.Mode == logs.File {
			var err error
			if set.File, err = fileSettings(who, log); err != nil {
				return nil, err
			}
		}
		stream, err := mux.Open(who, set)
		if err != nil {
			return nil, err // not the nil *Stream, which is no nil Output
		}
		return output{stream}, nil
	}
}

// outputMode is what becomes of a pool's output.
func outputMode(word string, tty bool) logs.Mode {
	switch word {
	case "prefix":
		return logs.Prefix
	case "inherit":
		return logs.Inherit
	case "json":
		return logs.JSON
	case "file":
		return logs.File
	case "journald":
		return logs.Journald
	case "auto":
		if tty {
			return logs.Prefix
		}
	}
	return logs.Tail
}

func fileSettings(of logs.Worker, log plan.Log) (logs.FileSettings, error) {
	formats := map[string]logs.Format{"plain": logs.Plain, "prefix": logs.Prefixed, "json": logs.Objects}
	set := logs.FileSettings{
		Format: formats[log.Format], MaxSize: int64(log.MaxSize), MaxAge: log.MaxAge, Keep: log.Keep, Compress: log.Compress,
	}
	var err error
	if set.Stdout, err = log.Path(of.Pool, of.Slot, "stdout"); err != nil {
		return set, fmt.Errorf("cannot name log file: %w", err)
	}
	if set.Stderr, err = log.Path(of.Pool, of.Slot, "stderr"); err != nil {
		return set, fmt.Errorf("cannot name log file: %w", err)
	}
	return set, nil
}
