package logs

import (
	"bytes"
	"unicode/utf8"
)

// maxLine is where a line without end is passed on in pieces: a program that
// writes no newlines must not fill our memory.
const maxLine = 64 << 10

// keepPartial is what a framer holds on to between lines that come in pieces.
const keepPartial = 16 << 10

// framer cuts a stream of bytes into lines of at most limit bytes.
type framer struct {
	limit   int // at least utf8.UTFMax
	partial []byte
}

// push calls emit for each line that is complete, without its newline, and for
// each piece of a longer one than the limit, of which there is more. The slice is
// valid during the call only.
func (f *framer) push(b []byte, emit func(line []byte, more bool)) {
	for {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			break
		}
		line := b[:i]
		if len(f.partial) > 0 {
			f.partial = append(f.partial, line...)
			line = f.partial
		}
		for len(line) > f.limit {
			n := f.pieceEnd(line)
			emit(line[:n], true)
			line = line[n:]
		}
		emit(line, false)
		if f.partial = f.partial[:0]; cap(f.partial) > keepPartial {
			f.partial = nil // one long line must not cost its memory for ever
		}
		b = b[i+1:]
	}
	f.hold(b, emit)
}

// hold keeps the beginning of a line whose end has not come yet.
func (f *framer) hold(b []byte, emit func(line []byte, more bool)) {
	f.partial = append(f.partial, b...)
	for len(f.partial) > f.limit {
		n := f.pieceEnd(f.partial)
		emit(f.partial[:n], true)
		f.partial = append(f.partial[:0], f.partial[n:]...)
	}
}

// flush emits a last line that has no newline.
func (f *framer) flush(emit func(line []byte, more bool)) {
	if len(f.partial) > 0 {
		emit(f.partial, false)
	}
	f.partial = nil
}

// pieceEnd is where to cut a line that is longer than the limit: there, or up to
// three bytes earlier so that a character stays whole.
func (f *framer) pieceEnd(line []byte) int {
	for n := f.limit; n > f.limit-utf8.UTFMax; n-- {
		if utf8.RuneStart(line[n]) {
			return n
		}
	}
	return f.limit
}
