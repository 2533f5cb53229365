package handover

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// Formats are what a program knows: it writes Now, which who knows Least can read, and it reads from Oldest on.
type Formats struct{ Now, Least, Oldest int }

// Header is what every document begins with, whatever its format.
type Header struct {
	Format int    // that it is in
	Least  int    // that its reader has to know
	From   string // the version of the program that wrote it
	PID    int    // the process that it is of
}

// Reads reports why a document cannot be read; nil if it can. Errors wrap ErrFormat.
func (f Formats) Reads(h Header) error {
	switch {
	case h.Least > f.Now:
		return fmt.Errorf("cannot read the state of brood %s: it takes format %d, and %d is the newest that is known: %w", h.From, h.Least, f.Now, ErrFormat)
	case h.Format < f.Oldest:
		return fmt.Errorf("cannot read the state of brood %s: it is in format %d, and %d is the oldest that is known: %w", h.From, h.Format, f.Oldest, ErrFormat)
	}
	return nil
}

var (
	// ErrFormat means that a document is of a version that is too old or too new.
	ErrFormat = errors.New("the versions are too far apart")
	// ErrNoState means that a file is no document of ours, or not all of it.
	ErrNoState = errors.New("it is not the state of a supervisor")
)

// magic begins the first line, which ends with the sizes of what follows.
const magic = "brood state"

// mostBytes is more than a document and its bytes ever have: a thousand workers have less than a hundred megabytes.
const mostBytes = 1 << 30

// Seal puts a document and its bytes together. It returns what to write, in pieces.
func Seal(document any, blob []byte) ([][]byte, error) {
	text, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("cannot write state: %w", err)
	}
	return [][]byte{fmt.Appendf(nil, "%s %d %d\n", magic, len(text), len(blob)), text, blob}, nil
}

// Open takes them apart again. Errors wrap ErrNoState.
func Open(file []byte) (document, blob []byte, err error) {
	line, rest, _ := bytes.Cut(file, []byte("\n"))
	words, found := bytes.CutPrefix(line, []byte(magic+" "))
	first, second, two := bytes.Cut(words, []byte(" "))
	n, err1 := strconv.Atoi(string(first))
	m, err2 := strconv.Atoi(string(second))
	switch {
	case !found || !two || err1 != nil || err2 != nil:
		return nil, nil, fmt.Errorf("cannot read its first line: %w", ErrNoState)
	case n < 0 || m < 0 || n > mostBytes || m > mostBytes || n+m != len(rest):
		return nil, nil, fmt.Errorf("it has %d bytes in place of %d and %d: %w", len(rest), n, m, ErrNoState)
	}
	return rest[:n], rest[n:], nil
}

// Read reads a document: its header alone, then all of it, if its format is known. Errors wrap ErrNoState or ErrFormat.
func (f Formats) Read(document []byte, into any) (Header, error) {
	var h Header
	if err := json.Unmarshal(document, &h); err != nil {
		return h, fmt.Errorf("cannot read its header: %w: %w", ErrNoState, err)
	}
	if err := f.Reads(h); err != nil {
		return h, err
	}
	if err := json.Unmarshal(document, into); err != nil {
		return h, fmt.Errorf("cannot read the state of brood %s: %w: %w", h.From, ErrNoState, err)
	}
	return h, nil
}
