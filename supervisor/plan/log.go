package plan

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// Log is what becomes of the output of a pool's workers.
type Log struct {
	Mode   string // auto, prefix, tail, inherit, json, file, journald
	File   string // of mode file: a template, see Path
	Format string // of the lines in it: plain, prefix, json

	MaxSize  uint64        // bytes after which another file is begun; 0 is any
	MaxAge   time.Duration // age after which it is; 0 is any
	Keep     int           // how many files that are full stay
	Compress bool          // those

	// Backpressure has workers wait for a consumer that is slow, instead of losing lines.
	Backpressure bool
}

var errLogPath = errors.New("it is not absolute, or names no file")

// Path fills in the file's name for a slot and a stream; a negative slot is of what runs before the workers.
func (l Log) Path(pool string, slot int, stream string) (string, error) {
	t, err := template.New("file").Option("missingkey=error").Parse(l.File)
	if err != nil {
		return "", fmt.Errorf("cannot read template: %w", err)
	}
	place := "pre"
	if slot >= 0 {
		place = strconv.Itoa(slot)
	}
	var b strings.Builder
	if err := t.Execute(&b, map[string]string{"Pool": pool, "Slot": place, "Stream": stream}); err != nil {
		return "", fmt.Errorf("cannot fill in template: %w", err)
	}
	path := b.String()
	if !filepath.IsAbs(path) || strings.HasSuffix(path, "/") || strings.ContainsRune(path, 0) {
		return "", fmt.Errorf("cannot write to %q: %w", path, errLogPath)
	}
	return filepath.Clean(path), nil
}
