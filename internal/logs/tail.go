package logs

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// tailSize is how much of each stream is kept for a worker's obituary.
	tailSize = 8 << 10
	// tailLine is the longest line Tail returns, in characters: enough for a
	// message with a path in it, short enough for one field of one log entry.
	tailLine = 400
)

// tail keeps the last bytes of a stream. Memory grows with what is written, up
// to tailSize.
type tail struct {
	buf   []byte
	start int  // where the oldest byte is once buf is full
	begun bool // bytes were dropped: the oldest line may lack its beginning
}

func (t *tail) add(b []byte) {
	if len(b) >= tailSize {
		t.begun = t.begun || len(t.buf) > 0 || len(b) > tailSize
		t.buf = append(t.buf[:0], b[len(b)-tailSize:]...)
		t.start = 0
		return
	}
	if room := tailSize - len(t.buf); room > 0 {
		n := min(room, len(b))
		t.buf = append(t.buf, b[:n]...)
		b = b[n:]
	}
	for len(b) > 0 {
		n := copy(t.buf[t.start:], b)
		t.start = (t.start + n) % tailSize
		t.begun = true
		b = b[n:]
	}
}

// last returns up to n lines, oldest first, fit for a log entry.
func (t *tail) last(n int) []string {
	all := append(bytes.Clone(t.buf[t.start:]), t.buf[:t.start]...)
	all = bytes.TrimRight(all, "\r\n")
	var lines []string
	for len(all) > 0 && len(lines) < n {
		i := bytes.LastIndexByte(all, '\n')
		line := clean(all[i+1:])
		if i < 0 && t.begun {
			line = "…" + line
		}
		if line != "" {
			lines = append(lines, line)
		}
		all = all[:max(i, 0)]
	}
	for i, j := 0, len(lines)-1; i < j; i, j = i+1, j-1 {
		lines[i], lines[j] = lines[j], lines[i]
	}
	return lines
}

// clean makes a line harmless to print: escape sequences and control characters
// go, a tab becomes a space, bytes that are no UTF-8 become U+FFFD.
func clean(line []byte) string {
	var b strings.Builder
	for count := 0; len(line) > 0; {
		r, size := utf8.DecodeRune(line)
		switch {
		case r == '\x1b':
			size = escapeLen(line)
		case r == '\t':
			r = ' '
			fallthrough
		case unicode.IsPrint(r):
			if count++; count > tailLine {
				return b.String() + "…"
			}
			b.WriteRune(r)
		}
		line = line[size:]
	}
	return strings.TrimRight(b.String(), " ")
}

// escapeLen returns the length of the escape sequence of ECMA-48 that b begins with: CSI (`ESC [ … letter`), a string
// (`ESC ] … ESC \`, also DCS, SOS, PM and APC; xterm ends it with BEL, too), or two bytes with others between them, such
// as `ESC ( B`.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return len(b)
	}
	switch b[1] {
	case '[':
		return 2 + upTo(b[2:], func(c byte) bool { return c >= 0x40 && c <= 0x7e })
	case ']', 'P', 'X', '^', '_':
		for i := 2; i < len(b); i++ {
			switch {
			case b[i] == '\a':
				return i + 1
			case b[i] == '\x1b' && i+1 < len(b) && b[i+1] == '\\':
				return i + 2
			}
		}
		return len(b)
	}
	return 1 + upTo(b[1:], func(c byte) bool { return c < 0x20 || c > 0x2f })
}

// upTo is how long b is up to a byte and with it; all of it if there is none.
func upTo(b []byte, end func(byte) bool) int {
	if i := slices.IndexFunc(b, end); i >= 0 {
		return i + 1
	}
	return len(b)
}
