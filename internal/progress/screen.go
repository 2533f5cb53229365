package progress

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// screen draws a block of lines over the one before, at the bottom of what the terminal shows. It uses what every terminal
// since the VT100 can do.
type screen struct {
	out      io.Writer
	coloured bool
	drawn    []int // the widths of the lines that stand there
	last     string
}

// draw replaces the block in one write. Each line is overwritten and its rest cleared, never the whole block, which would
// flicker. The lines must be narrower than the terminal, so that none is wrapped, and fewer than its rows.
func (s *screen) draw(lines []line, width int) {
	var b strings.Builder
	widths := make([]int, len(lines))
	for i, l := range lines {
		l.write(&b, s.coloured)
		b.WriteString("\x1b[K\n")
		widths[i] = l.width()
	}
	if b.String() == s.last && slices.Equal(widths, s.drawn) {
		return
	}
	s.last = b.String()
	up := s.height(width)
	s.drawn = widths
	b.Reset()
	if up > 0 {
		fmt.Fprintf(&b, "\r\x1b[%dA", up)
	}
	_, _ = io.WriteString(s.out, b.String()+s.last+"\x1b[J") // nobody is left to be told
}

// height is how many rows the block takes now: a terminal that has become narrower has wrapped its lines.
func (s *screen) height(width int) int {
	n := 0
	for _, w := range s.drawn {
		n += max(1, (w+width-1)/max(1, width))
	}
	return n
}
