package logs

import (
	"bytes"
	"unicode/utf8"
)

// Screen is what people see the lines of mode Prefix on.
type Screen uint8

const (
	// NoScreen is a file or a pipe: what a worker writes is passed on as it is.
	NoScreen Screen = iota
	// PlainScreen is a terminal without colours.
	PlainScreen
	// ColourScreen is a terminal with colours.
	ColourScreen
)

// appendShown appends a line as it may stand on a screen, where others have lines, too. What would steer the terminal is
// left out, be it that a program clears the screen, or that somebody from outside has had a program write what he wants
// people to see. Tabs and, where wanted, colours stay.
func (s Screen) appendShown(dst, line []byte) []byte {
	line = bytes.TrimRight(line, "\r")
	for begin := 0; begin < len(line); {
		end := begin + plainText(line[begin:])
		dst = append(dst, line[begin:end]...)
		if end == len(line) {
			break
		}
		rest := line[end:]
		n := 1
		switch r, size := utf8.DecodeRune(rest); {
		case r == '\x1b':
			n = escapeLen(rest)
			if s == ColourScreen && isColour(rest[:n]) {
				dst = append(dst, rest[:n]...)
			}
		case r == '\r': // a progress that writes over itself
			dst = append(dst, ' ')
		case r == utf8.RuneError && size <= 1:
			dst = utf8.AppendRune(dst, utf8.RuneError)
		case r >= utf8.RuneSelf && !steers(r):
			n = size
			dst = append(dst, rest[:n]...)
		default:
			n = size
		}
		begin = end + n
	}
	return dst
}

// plainText is how many bytes a text begins with that are printable ASCII, or tabs.
func plainText(text []byte) int {
	for i, c := range text {
		if (c < ' ' && c != '\t') || c >= 0x7f {
			return i
		}
	}
	return len(text)
}

// steers reports whether a character does something to a terminal: C1 of ECMA-48, or another direction of writing.
func steers(r rune) bool {
	return r < 0xa0 || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// isColour reports whether an escape sequence is SGR of ECMA-48.
func isColour(escape []byte) bool {
	if len(escape) < 3 || escape[1] != '[' || escape[len(escape)-1] != 'm' {
		return false
	}
	return len(bytes.Trim(escape[2:len(escape)-1], "0123456789;:")) == 0
}
