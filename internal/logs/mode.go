package logs

import (
	"errors"
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
	Mode Mode `json:"mode"`
	// Backpressure has workers wait for a consumer that is slow, instead of losing lines.
	Backpressure bool         `json:"backpressure"`
	File         FileSettings `json:"file,omitzero"` // of mode File
}

// FileSettings say where a worker's lines go in mode File, and for how long.
type FileSettings struct {
	// Stdout and Stderr are paths. They may be one, and those of other workers.
	Stdout   string        `json:"stdout"`
	Stderr   string        `json:"stderr"`
	Format   Format        `json:"format"`
	MaxSize  int64         `json:"max_size"` // bytes after which another file is begun; 0 is any
	MaxAge   time.Duration `json:"max_age"`  // age at which another file is begun, with its next line; 0 is any
	Keep     int           `json:"keep"`     // how many files that are full stay beside the one at hand
	Compress bool          `json:"compress"` // those, with gzip
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

// String returns the name of the format in lower case.
func (f Format) String() string {
	switch f {
	case Plain:
		return "plain"
	case Prefixed:
		return "prefixed"
	case Objects:
		return "objects"
	}
	return fmt.Sprintf("Format(%d)", uint8(f))
}

// MarshalText implements [encoding.TextMarshaler].
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (m *Mode) UnmarshalText(word []byte) error {
	for known := Tail; known <= Inherit; known++ {
		if known.String() == string(word) {
			*m = known
			return nil
		}
	}
	return fmt.Errorf("cannot read mode %q: %w", word, errWord)
}

// MarshalText implements [encoding.TextMarshaler].
func (f Format) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (f *Format) UnmarshalText(word []byte) error {
	for known := Plain; known <= Objects; known++ {
		if known.String() == string(word) {
			*f = known
			return nil
		}
	}
	return fmt.Errorf("cannot read format %q: %w", word, errWord)
}

var errWord = errors.New("there is none of this name")

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
