package main

import (
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/config"
)

// outputFlags say where the output of the workers goes.
func outputFlags() []cli.Flag {
	return []cli.Flag{
		stringFlag("worker-output", "auto", "auto, prefix, tail, inherit, json, file, journald; auto is prefix on a terminal, else tail"),
		stringFlag("log-file", "", "`PATH` of the file that the workers' lines go to; a template with {{.Pool}}, {{.Slot}} and {{.Stream}}"),
		stringFlag("log-file-format", "plain", "of the lines in it: plain, prefix, json"),
		stringFlag("log-max-size", "100M", "`BYTES` after which another file is begun; 0 is any"),
		durationFlag("log-max-age", 0, "age after which another file is begun; 0 is any"),
		&cli.IntFlag{Name: "log-keep", Value: 7, Usage: "how many log files that are full stay", EnvVars: env("log-keep")},
		boolFlag("log-compress", "log files that are full are compressed"),
		boolFlag("backpressure", "workers wait for a reader of their output that is slow; else lines are dropped and counted"),
	}
}

func (r *flagReader) log() config.LogTable {
	t := config.LogTable{
		Mode: r.said("worker-output"), File: r.said("log-file"), Format: r.said("log-file-format"), MaxSize: config.FileSize(r.said("log-max-size")),
		MaxAge: r.duration("log-max-age"), Compress: r.c.Bool("log-compress"), Backpressure: r.c.Bool("backpressure"),
	}
	if path, err := filepath.Abs(t.File); err == nil && t.File != "" {
		t.File = path // a path of a flag begins where brood was called
	}
	if r.c.IsSet("log-keep") {
		t.Keep = new(r.c.Int("log-keep"))
	}
	return t
}
