package logs

import (
	"fmt"
	"time"
)

// Mode says what happens to the output of a worker.
type Mode uint8

const (
	// Tail passes both streams on byte for byte.
	Tail Mode = iota
	// Prefix is for terminals: whole lines that begin with the worker's label.
	Prefix
	// JSON makes one object of each line.
	JSON
	// File writes whole lines to a file, see [File].
	File
	// Journald sends each line to systemd-journald(8) with the worker's fields.
	Journald
	// Inherit hands our own stdout and stderr to the worker. Nothing is kept for
	// those who read, see [Mux.Recent], nor for a note about its death.
	Inherit
)

// String returns the name of the mode in lower case.
func (m Mode) String() string {
	switch m {
	case Tail:
		return "tail"
	case Prefix:
		return "prefix"
	case JSON:
		return "json"
	case File:
		return "file"
	case Journald:
		return "journald"
	case Inherit:
		return "inherit"
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// Settings are a pool's.
type Settings struct {
	Mode Mode
	// Backpressure has workers wait for a consumer that is slow, instead of losing lines.
	Backpressure bool
	File         FileSettings // of mode File
}

// FileSettings say where a worker's lines go in mode File, and for how long.
type FileSettings struct {
	// Stdout and Stderr are paths. They may be one, and those of other workers.
	Stdout, Stderr string
	Format         Format
	MaxSize        int64         // bytes after which another file is begun; 0 is any
	MaxAge         time.Duration // age at which another file is begun, with its next line; 0 is any
	Keep           int           // how many files that are full stay beside the one at hand
	Compress       bool          // those, with gzip
}

// Format is what a line in a file looks like.
type Format uint8

const (
	// Plain is as it was written.
	Plain Format = iota
	// Prefixed is as in mode Prefix, without colours.
	Prefixed
	// Objects is as in mode JSON.
	Objects
)

// form is how a lane writes what it has read.
type form uint8

const (
	raw      form = iota // bytes as they come
	plain                // whole lines
	prefixed             // with the label in front
	object               // as JSON
	journal              // as a record of journald
)

// form returns that of a mode.
func (s Settings) form() form {
	switch s.Mode {
	case Prefix:
		return prefixed
	case JSON:
		return object
	case Journald:
		return journal
	case File:
		return [...]form{Plain: plain, Prefixed: prefixed, Objects: object}[s.File.Format]
	case Tail, Inherit:
	}
	return raw
}
