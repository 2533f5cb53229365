package logs

import (
	"bytes"
	"errors"
	"time"
)

// pieceSize is PIPE_BUF: poll(2) says "writable" when a pipe has room for so
// much, so a write of at most this does not block, and is atomic.
const pieceSize = 4096

// stdio is one of our own descriptors, which are shared with others: their flags are never changed.
type stdio struct {
	fd   int
	wake int // eventfd that ends a wait in poll(2); -1 if there was none to be had
	kind fdKind
	room int // of an empty pipe

	within bool // the last byte that went did not end its line
	torn   bool // and the rest of that line is lost
}

func newStdio(fd int) *stdio {
	kind, room := kindOf(fd)
	return &stdio{fd: fd, wake: newWake(), kind: kind, room: room}
}

func (o *stdio) tend() error          { return nil }
func (o *stdio) pause() time.Duration { return 0 }
func (o *stdio) giveUp()              { wakeUp(o.wake) }
func (o *stdio) goOn()                { calmDown(o.wake) }
func (o *stdio) close()               { closeFD(o.wake) }
func (o *stdio) lines(b []byte) int   { return bytes.Count(b, newline) }

// write gives the beginning of a line whose end was refused an end of its own, so that the next line is whole.
func (o *stdio) write(b []byte) (int, error) {
	if o.torn && b[0] != '\n' {
		if n, err := o.send(newline); n == 0 {
			return 0, err
		}
	}
	o.torn = false
	n, err := o.send(b)
	if n > 0 {
		o.within = b[n-1] != '\n'
	}
	o.torn = err != nil && o.within && !errors.Is(err, errGaveUp)
	return n, err
}

func (o *stdio) send(b []byte) (int, error) {
	if o.kind == fdFile {
		return writeFile(o.fd, b) // always ready, and whole
	}
	if len(b) <= pieceSize || o.kind != fdPipe {
		return writeWhenReady(o.fd, o.wake, cut(b, pieceSize))
	}
	if err := waitReady(o.fd, o.wake); err != nil {
		return 0, err
	}
	if isEmpty(o.fd) {
		// Nobody else holds up a write into an empty pipe, nor tears it apart.
		return writeNow(o.fd, cut(b, o.room))
	}
	return writeNow(o.fd, cut(b, pieceSize))
}

// cut returns the longest beginning of b that fits, whole lines if
// there are any.
func cut(b []byte, most int) []byte {
	if len(b) <= most {
		return b
	}
	if i := bytes.LastIndexByte(b[:most], '\n'); i >= 0 {
		return b[:i+1]
	}
	return b[:most]
}
