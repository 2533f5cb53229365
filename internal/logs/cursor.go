package logs

import (
	"bytes"
	"time"
)

var newline = []byte{'\n'}

// cursor is how far somebody has read what one worker said, and the beginnings of lines whose end has not come.
type cursor struct {
	recorder *recorder
	position uint64
	offset   int    // bytes of the record there that have been read
	lines    uint64 // newlines before it
	number   uint64 // newlines that were passed on, or missed
	missed   uint64 // lines that were gone before they were read
	pid      int
	closed   bool // nothing follows
	begun    [2]beginning
}

// beginning is what is there of a line.
type beginning struct {
	at   int64 // 0 if there is nothing
	text []byte
}

// oldest is before all that is kept.
func oldest(r *recorder) *cursor {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &cursor{recorder: r, position: r.start, lines: r.before, number: r.before}
}

// skip forgets what was begun: its end is lost.
func (c *cursor) skip(lines uint64) {
	c.missed += lines
	c.number += lines
	c.begun = [2]beginning{}
}

// read passes on the lines that have come since. It returns the scratch buffer for the next time.
func (c *cursor) read(scratch []byte, yield func(Line)) []byte {
	scratch = c.recorder.after(c, scratch)
	records(scratch, func(rec record) { c.cut(rec, yield) })
	if c.closed {
		c.flush(yield)
	}
	return scratch
}

// cut makes lines of a record and of what was begun before.
func (c *cursor) cut(rec record, yield func(Line)) {
	begun := &c.begun[rec.stream]
	if rec.midline && begun.at == 0 {
		*begun = beginning{at: rec.at, text: []byte("…")}
	}
	for text := rec.text; len(text) > 0; {
		line, rest, ended := bytes.Cut(text, newline)
		if begun.at == 0 {
			begun.at = rec.at
		}
		begun.text = append(begun.text, line...)
		if ended || len(begun.text) > keepSize {
			c.end(rec.stream, yield)
		}
		if ended {
			c.number++
		}
		text = rest
	}
}

// end passes on what was begun.
func (c *cursor) end(stream standard, yield func(Line)) {
	begun := &c.begun[stream]
	at := c.recorder.source.place
	yield(Line{
		Time: time.Unix(0, begun.at), Pool: at.pool, Slot: at.slot, WorkerID: c.recorder.id, PID: c.pid,
		Handle: c.recorder.handle, Number: c.number + 1, Stream: stream.String(), Text: string(begun.text), Missed: c.missed,
	})
	c.missed = 0
	begun.at, begun.text = 0, begun.text[:0]
}

// flush passes on lines that have no end.
func (c *cursor) flush(yield func(Line)) {
	for stream := range c.begun {
		if c.begun[stream].at != 0 {
			c.end(standard(stream), yield)
		}
	}
}
