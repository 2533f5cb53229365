package progress

import (
	"strings"

	"github.com/broodctl/brood/internal/text"
)

// colour is a colour, as SGR of ECMA-48 numbers them.
type colour string

const (
	noColour colour = ""
	faint    colour = "2"
	red      colour = "31"
	green    colour = "32"
	yellow   colour = "33"
	cyan     colour = "36"
)

// span is a piece of text in one colour.
type span struct {
	text   string
	colour colour
}

// line is one line of a frame.
type line []span

func (l line) width() int {
	n := 0
	for _, s := range l {
		n += text.Width(s.text)
	}
	return n
}

// cut makes a line fit into so many columns, without blanks at its end.
func (l line) cut(width int) line {
	l = l.trim()
	if l.width() <= width {
		return l
	}
	mark := text.Ellipsis[:min(len(text.Ellipsis), max(0, width))]
	room := width - len(mark)
	var kept line
	for _, s := range l {
		end := 0
		for i, r := range s.text {
			if room -= text.Columns(r); room < 0 {
				break
			}
			end = i + len(string(r))
		}
		kept = append(kept, span{s.text[:end], s.colour})
		if room < 0 {
			break
		}
	}
	return append(kept, span{mark, noColour})
}

func (l line) trim() line {
	for len(l) > 0 {
		last := &l[len(l)-1]
		if last.text = strings.TrimRight(last.text, " "); last.text != "" {
			break
		}
		l = l[:len(l)-1]
	}
	return l
}

// write appends a line as the terminal gets it.
func (l line) write(b *strings.Builder, coloured bool) {
	for _, s := range l {
		if !coloured || s.colour == noColour || s.text == "" {
			b.WriteString(s.text)
			continue
		}
		b.WriteString("\x1b[" + string(s.colour) + "m" + s.text + "\x1b[0m")
	}
}
