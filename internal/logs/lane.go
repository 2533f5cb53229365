package logs

import (
	"bytes"
	"sync"
	"time"
)

// lane is one pipe from a worker to a sink. Lock order: lane, then sink or
// poller. No callback of either is entered with their locks held.
type lane struct {
	mux   *Mux
	sink  *sink
	label string // empty: bytes pass unchanged
	from  *recorder
	which standard
	tail  tail // of stderr only

	mu      sync.Mutex
	read    int // our end, -1 when closed
	child   int // the worker's end, -1 when closed
	watched bool
	lines   framer // Prefix only
	prefix  []byte // Prefix only: the label as it was last written, so many columns wide
	width   int64
}

// closeReads bounds what Close takes from one pipe. A process that escaped its
// group may still be writing, and must not keep us busy for ever.
const closeReads = 16

func newLane(to *sink, from *recorder, which standard, label string) *lane {
	return &lane{
		mux: from.source.mux, sink: to, from: from, which: which, label: label,
		read: -1, child: -1, lines: framer{limit: maxLine},
	}
}

// open makes the pipe, and returns the end that the worker gets.
func (l *lane) open() (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, w, err := newPipe()
	if err != nil {
		return -1, err
	}
	if err := l.mux.opt.Poller.Add(r, l.ready); err != nil {
		closeFD(r)
		closeFD(w)
		return -1, err
	}
	l.read, l.child, l.watched = r, w, true
	return w, nil
}

// ready runs on the poller's goroutine.
func (l *lane) ready() {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !l.watched: // removed while this call was on its way
	case l.sink.park(l):
		l.unwatch()
	default:
		l.take()
	}
}

// resume runs on the sink's goroutine once there is room again.
func (l *lane) resume() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.read >= 0 && !l.watched {
		l.watched = l.mux.opt.Poller.Add(l.read, l.ready) == nil
	}
}

// take reads once and passes on what it got; false if there was nothing.
func (l *lane) take() bool {
	if l.read < 0 {
		return false
	}
	chunk := l.mux.chunks.Get().(*[chunkSize]byte)
	defer l.mux.chunks.Put(chunk)
	n, state := readNow(l.read, chunk[:])
	switch state {
	case pipeEmpty:
		return false
	case pipeEnded:
		l.end()
		return false
	case pipeData:
	}
	got := chunk[:n]
	l.from.add(record{at: time.Now().UnixNano(), stream: l.which, text: got}, bytes.Count(got, newline))
	if l.which == stderr {
		l.tail.add(got)
	}
	l.sink.put(n, func(dst []byte) []byte { return l.render(dst, got) })
	return true
}

func (l *lane) render(dst, got []byte) []byte {
	if l.label == "" {
		return append(dst, got...)
	}
	l.lines.push(got, func(line []byte) { dst = l.appendLine(dst, line) })
	return dst
}

func (l *lane) appendLine(dst, line []byte) []byte {
	if width := l.mux.width.Load(); l.prefix == nil || width != l.width {
		l.prefix, l.width = newPrefix(l.label, int(width), l.mux.opt.Colour), width
	}
	dst = append(dst, l.prefix...)
	dst = append(dst, line...)
	return append(dst, '\n')
}

// end is called once no more can come: on EOF or by close.
func (l *lane) end() {
	l.lines.flush(func(line []byte) {
		l.sink.put(len(line), func(dst []byte) []byte { return l.appendLine(dst, line) })
	})
	l.unwatch()
	closeFD(l.read)
	l.read = -1
}

func (l *lane) unwatch() {
	if l.watched {
		_ = l.mux.opt.Poller.Remove(l.read) // fails only when the poller is closed: then nothing is watched
		l.watched = false
	}
}

func (l *lane) lastLines(n int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.take()
	return l.tail.last(n)
}

func (l *lane) giveTo(uid, gid int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.child < 0 {
		return nil
	}
	return changeOwner(l.child, uid, gid)
}

func (l *lane) closeChildEnd() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.child >= 0 {
		closeFD(l.child)
		l.child = -1
	}
}

func (l *lane) close() {
	l.closeChildEnd()
	l.mu.Lock()
	defer l.mu.Unlock()
	for range closeReads {
		if !l.take() {
			break
		}
	}
	if l.read >= 0 {
		l.end()
	}
}
