package logs

// keepBuffer is the largest buffer that is used again: what a queue grows to behind a consumer that is slow.
const keepBuffer = 2 * hardLimit

// buffer is a part of a queue, and whose it is.
type buffer struct {
	bytes  []byte
	shares []share
}

// share is how many bytes in a row are of one source; nil is our own log.
type share struct {
	of *source
	n  int
}

// tally counts what is lost.
type tally struct {
	lines, bytes uint64
	own          uint64 // of the bytes, those of our own log
}

func (t *tally) add(more tally) {
	t.lines += more.lines
	t.bytes += more.bytes
	t.own += more.own
}

func (b *buffer) len() int {
	if b == nil {
		return 0
	}
	return len(b.bytes)
}

// fill appends what a source has to write, and returns how much that is.
func (b *buffer) fill(of *source, fill func([]byte) []byte) int {
	before := len(b.bytes)
	b.bytes = fill(b.bytes)
	n := len(b.bytes) - before
	if n == 0 {
		return 0
	}
	if last := len(b.shares) - 1; last >= 0 && b.shares[last].of == of {
		b.shares[last].n += n
	} else {
		b.shares = append(b.shares, share{of, n})
	}
	return n
}

// lost puts what is behind an offset on the accounts of those whose it is.
func (b *buffer) lost(from int, lines func([]byte) int) tally {
	var sum tally
	begin := 0
	for _, s := range b.shares {
		end := begin + s.n
		if end > from {
			part := b.bytes[max(begin, from):end]
			lost := tally{lines: uint64(lines(part)), bytes: uint64(len(part))}
			if s.of == nil {
				lost.own = lost.bytes
			}
			s.of.lost(lost)
			sum.add(lost)
		}
		begin = end
	}
	return sum
}

// recycle keeps a buffer for whoever needs one next.
func (m *Mux) recycle(b *buffer) {
	if cap(b.bytes) > keepBuffer {
		return
	}
	clear(b.shares)
	b.bytes, b.shares = b.bytes[:0], b.shares[:0]
	m.buffers.Put(b)
}
