package logs

import "bytes"

// look is how the lines of one lane are written. Lines of one read have one time.
type look struct {
	form  form
	of    Worker
	which standard

	pid    int    // 0 until it is known
	fixed  []byte // what does not vary: a prefix, the head of an object, fields
	begin  []byte // object only: with the time
	width  int64  // prefixed only: the columns that fixed was made for
	mux    *Mux
	screen Screen
}

// at is called before the lines of a read.
func (k *look) at(now int64) {
	switch k.form {
	case object:
		if k.fixed == nil {
			k.fixed = objectHead(k.of, k.which)
		}
		k.begin = appendTime(k.begin[:0], now)
	case journal:
		if k.fixed == nil {
			k.fixed = journalFields(k.of, k.which)
		}
	case prefixed:
		if width := k.mux.width.Load(); k.fixed == nil || width != k.width {
			k.fixed, k.width = newPrefix(k.of.Label(), int(width), k.screen == ColourScreen), width
		}
	case raw, plain:
	}
}

// isQuick reports whether whole lines need not be looked into.
func (k *look) isQuick() bool { return k.screen == NoScreen && (k.form == plain || k.form == prefixed) }

// appendLines adds whole lines, as append would, if that is quick.
func (k *look) appendLines(dst, lines []byte) []byte {
	if k.form == plain {
		return append(dst, lines...)
	}
	for len(lines) > 0 {
		end := bytes.IndexByte(lines, '\n') + 1
		dst = append(append(dst, k.fixed...), lines[:end]...)
		lines = lines[end:]
	}
	return dst
}

// append adds a line, or a piece of one with more to come.
func (k *look) append(dst, line []byte, more bool) []byte {
	switch k.form {
	case object:
		return appendObject(dst, k.begin, k.fixed, line, more)
	case journal:
		return appendRecord(dst, k.fixed, k.pid, k.which, line)
	case prefixed:
		dst = append(dst, k.fixed...)
		if k.screen != NoScreen {
			return append(k.screen.appendShown(dst, line), '\n')
		}
	case raw, plain:
	}
	return append(append(dst, line...), '\n')
}
