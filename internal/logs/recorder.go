package logs

import (
	"bytes"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// keepSize is how many bytes of each worker's output are kept for who asks.
	keepSize = 64 << 10
	// firstKeep is what a worker costs that wrote a line or two. Both are powers of two, see recorder.index.
	firstKeep = 512
)

// recorder keeps the newest output of one worker, read by read, as it came: making lines of it is for those who ask.
// Its memory grows with what is written. The lock order is lane, recorder, source or reader.
type recorder struct {
	source *source
	id     int
	handle int          // of the stream
	size   atomic.Int64 // of buf, for who does not hold mu
	gone   time.Time    // when the worker was; of the source's lock

	mu sync.Mutex
	// buf is a ring. Positions count the bytes from the worker's first: of the oldest record, and behind the newest.
	buf           []byte
	start, end    uint64
	before, total uint64  // newlines that are kept no more, and of all time
	midline       [2]bool // by stream: what comes next goes on with a line
	pid           int     // 0 until it runs
	closed        bool
}

// restore makes a recorder of what another program kept. Positions stay what they were.
func (s *source) restore(k HandedKept, text []byte) *recorder {
	r := &recorder{
		source: s, id: k.WorkerID, handle: k.Handle, pid: k.PID,
		start: k.Start, end: k.Start, before: k.Before, total: k.Total, midline: k.Midline,
	}
	if len(text) > 0 {
		r.buf = make([]byte, ringSize(len(text)))
		r.size.Store(int64(len(r.buf)))
		r.append(text)
	}
	return r
}

// ringSize is how large a ring is that so much fits in.
func ringSize(n int) int {
	size := firstKeep
	for size < n {
		size *= 2
	}
	return size
}

// record is what one read brought.
type record struct {
	at      int64 // Unix time in nanoseconds
	stream  standard
	midline bool // it goes on with a line that an earlier one began
	text    []byte
}

// headSize is what stands before each record: time, length, newlines, flags.
const headSize = 8 + 4 + 4 + 1

const (
	flagStderr = 1 << iota
	flagMidline
)

// add keeps the text, which holds so many newlines.
func (r *recorder) add(rec record, newlines int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec.midline = r.midline[rec.stream]
	r.midline[rec.stream] = rec.text[len(rec.text)-1] != '\n'
	r.total += uint64(newlines)
	if most := keepSize - headSize; len(rec.text) > most {
		r.start, r.before = r.end, r.total-uint64(newlines)
		rec.text, rec.midline = newest(rec.text, most)
		kept := bytes.Count(rec.text, newline)
		r.before, newlines = r.total-uint64(kept), kept
	}
	r.makeRoom(uint64(headSize + len(rec.text)))
	var head [headSize]byte
	binary.LittleEndian.PutUint64(head[0:], uint64(rec.at))
	binary.LittleEndian.PutUint32(head[8:], uint32(len(rec.text)))
	binary.LittleEndian.PutUint32(head[12:], uint32(newlines))
	if rec.stream == stderr {
		head[16] |= flagStderr
	}
	if rec.midline {
		head[16] |= flagMidline
	}
	r.append(head[:])
	r.append(rec.text)
	r.source.mux.tell(r)
}

// newest is the end of a text that is too long, from the beginning of a line if it has one.
func newest(text []byte, most int) (end []byte, midline bool) {
	text = text[len(text)-most:]
	if i := bytes.IndexByte(text, '\n'); i >= 0 && i+1 < len(text) {
		return text[i+1:], false
	}
	return text, true
}

// makeRoom grows the ring, and once it is large enough gives up the oldest records.
func (r *recorder) makeRoom(n uint64) {
	size := uint64(len(r.buf))
	for size < keepSize && r.end-r.start+n > size {
		size = max(2*size, firstKeep)
	}
	if size > uint64(len(r.buf)) {
		grown := recorder{buf: make([]byte, size), end: r.start}
		r.visit(r.start, grown.append)
		r.buf = grown.buf
		r.size.Store(int64(size))
		r.source.trim()
	}
	for r.end-r.start+n > size {
		var head [headSize]byte
		at := head[:0]
		r.visit(r.start, func(b []byte) { at = append(at, b[:min(len(b), headSize-len(at))]...) })
		r.start += headSize + uint64(binary.LittleEndian.Uint32(head[8:]))
		r.before += uint64(binary.LittleEndian.Uint32(head[12:]))
	}
}

func (r *recorder) index(position uint64) int { return int(position & uint64(len(r.buf)-1)) }

// append writes at the end. There must be room.
func (r *recorder) append(b []byte) {
	n := copy(r.buf[r.index(r.end):], b)
	copy(r.buf, b[n:])
	r.end += uint64(len(b))
}

// visit passes everything from a position on, in one or two pieces.
func (r *recorder) visit(from uint64, do func([]byte)) {
	if from == r.end {
		return
	}
	a, b := r.index(from), r.index(r.end)
	if a < b {
		do(r.buf[a:b])
		return
	}
	do(r.buf[a:])
	do(r.buf[:b])
}

// after returns what came after a cursor, appended to dst, and moves the cursor there.
func (r *recorder) after(c *cursor, dst []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.position < r.start {
		c.position = r.start
		c.skip(r.before - c.lines)
	}
	r.visit(c.position, func(b []byte) { dst = append(dst, b...) })
	c.position, c.lines = r.end, r.total
	c.pid, c.closed = r.pid, r.closed
	return dst
}

func (r *recorder) started(pid int) {
	r.mu.Lock()
	r.pid = pid
	r.mu.Unlock()
}

// close says that no more will come.
func (r *recorder) close() {
	r.mu.Lock()
	again := r.closed
	if r.closed = true; !again {
		r.source.mux.tell(r)
	}
	r.mu.Unlock()
	if !again {
		r.source.retire(r)
	}
}

// records reads what [recorder.after] returned.
func records(b []byte, yield func(record)) {
	for len(b) > 0 {
		n := binary.LittleEndian.Uint32(b[8:])
		rec := record{at: int64(binary.LittleEndian.Uint64(b)), midline: b[16]&flagMidline != 0, text: b[headSize : headSize+n]}
		if b[16]&flagStderr != 0 {
			rec.stream = stderr
		}
		yield(rec)
		b = b[headSize+n:]
	}
}
