package progress

import (
	"strings"
	"unicode"
)

// neutral makes a foreign text harmless and one line long: what cannot be printed could move the cursor.
func neutral(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			return '?'
		default:
			return r
		}
	}, text)
}

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

// firstWide is where the scripts begin of which a terminal may draw a character over two columns. Some behind it take one or
// none: a line that is too short does no harm.
const firstWide = 0x1100

func columns(r rune) int {
	if r >= firstWide {
		return 2
	}
	return 1
}

func textWidth(text string) int {
	n := 0
	for _, r := range text {
		n += columns(r)
	}
	return n
}

func (l line) width() int {
	n := 0
	for _, s := range l {
		n += textWidth(s.text)
	}
	return n
}

// ellipsis ends what is cut. It is ASCII, as all that is drawn: there are terminals that cannot do more.
const ellipsis = "..."

// cut makes a line fit into so many columns, without blanks at its end.
func (l line) cut(width int) line {
	l = l.trim()
	if l.width() <= width {
		return l
	}
	mark := ellipsis[:min(len(ellipsis), max(0, width))]
	room := width - len(mark)
	var kept line
	for _, s := range l {
		end := 0
		for i, r := range s.text {
			if room -= columns(r); room < 0 {
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

// pad fills a text up with blanks.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-textWidth(text)))
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
