package logs

import (
	"bytes"
	"sync"
	"time"
)

// lane is one pipe from a worker to a sink. Lock order: lane, then sink or
// poller. No callback of either is entered with their locks held.
type lane struct {
	mux    *Mux
	sink   *sink
	source *source
	from   *recorder
	holds  bool // with back-pressure
	tail   tail

	mu      sync.Mutex
	read    int // our end, -1 when closed
	child   int // the worker's end, -1 when closed
	watched bool
	frozen  bool // nothing is read
	closed  bool
	lines   framer // not of raw bytes
	look    look
	raw     rawState
}

// closeReads bounds what Close takes from one pipe. A process that escaped its
// group may still be writing, and must not keep us busy for ever.
const closeReads = 16

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
	case l.holds && l.sink.park(l):
		l.unwatch()
	default:
		l.take()
	}
}

// resume runs on the sink's goroutine once there is room again.
func (l *lane) resume() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watch()
}

func (l *lane) watch() {
	if l.read >= 0 && !l.watched && !l.frozen {
		l.watched = l.mux.opt.Poller.Add(l.read, l.ready) == nil
	}
}

// take reads once and passes on what it got; false if there was nothing.
func (l *lane) take() bool {
	if l.read < 0 || l.frozen {
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
	l.pass(chunk[:n], time.Now().UnixNano())
	return true
}

// pass has what was read kept, and written.
func (l *lane) pass(got []byte, now int64) {
	newlines := bytes.Count(got, newline)
	l.source.count(newlines, len(got))
	l.from.add(record{at: now, stream: l.look.which, text: got}, newlines)
	l.tail.add(got)
	if l.look.form == raw {
		l.passRaw(got)
		return
	}
	l.look.at(now)
	if !l.sink.put(l.source, len(got), hardLimit, func(dst []byte) []byte { return l.render(dst, got) }) {
		l.lose(l.drop(got))
	}
}

// render appends what is written of a read. Most of a flood is whole lines, which need nobody to put them together.
func (l *lane) render(dst, got []byte) []byte {
	if l.look.isQuick() && len(got) <= l.lines.limit {
		begun := 0
		if len(l.lines.partial) > 0 {
			begun = bytes.IndexByte(got, '\n') + 1
		}
		if whole := bytes.LastIndexByte(got, '\n') + 1; whole > begun {
			dst = l.frame(dst, got[:begun])
			dst = l.look.appendLines(dst, got[begun:whole])
			got = got[whole:]
		}
	}
	return l.frame(dst, got)
}

func (l *lane) frame(dst, got []byte) []byte {
	l.lines.push(got, func(line []byte, more bool) { dst = l.look.append(dst, line, more) })
	return dst
}

// drop lets whole lines go.
func (l *lane) drop(got []byte) (lost tally) {
	l.lines.push(got, func(line []byte, more bool) {
		lost.bytes += uint64(len(line))
		if !more {
			lost.lines++
			lost.bytes++
		}
	})
	return lost
}

// lose puts on the accounts what did not fit behind a slow consumer.
func (l *lane) lose(lost tally) {
	if lost.bytes == 0 {
		return
	}
	l.source.lost(lost)
	l.mux.lost.Add(lost.bytes)
	l.sink.met(nil, lost)
}

// end is called once no more can come: on EOF or by close.
func (l *lane) end() {
	l.lines.flush(func(line []byte, _ bool) {
		l.look.at(time.Now().UnixNano())
		if !l.sink.put(l.source, len(line), hardLimit, func(dst []byte) []byte { return l.look.append(dst, line, false) }) {
			l.lose(tally{lines: 1, bytes: uint64(len(line))})
		}
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

// spawned takes note of the worker's process; 0 if there is none.
func (l *lane) spawned(pid int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.look.pid = pid
	l.closeChild()
}

func (l *lane) closeChild() {
	closeFD(l.child)
	l.child = -1
}

func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	defer l.mux.release(l.sink)
	l.closeChild()
	for range closeReads {
		if !l.take() {
			break
		}
	}
	if l.read >= 0 {
		l.end()
	}
}
