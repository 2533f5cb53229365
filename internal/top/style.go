package top

import (
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/broodctl/brood/internal/text"
)

// tone is what a piece of text is to look like.
type tone uint8

// The tones.
const (
	plain tone = iota
	title
	faint
	good
	warn
	bad
	head   // of a table
	chosen // the line of the cursor
	tones
)

// palette has the look of each tone. Without colours it is bold and reverse, which every terminal can do.
type palette [tones]lipgloss.Style

func newPalette(coloured bool) palette {
	var p palette
	none := lipgloss.NewStyle()
	for i := range p {
		p[i] = none
	}
	p[title] = none.Bold(true)
	p[head] = none.Reverse(true)
	p[chosen] = none.Reverse(true)
	if coloured {
		p[faint] = none.Faint(true)
		p[good] = none.Foreground(lipgloss.Green)
		p[warn] = none.Foreground(lipgloss.Yellow)
		p[bad] = none.Foreground(lipgloss.Red).Bold(true)
	}
	return p
}

// span is a clean piece of text in one tone.
type span struct {
	text string
	tone tone
}

// line is one line of a screen. Everything that is drawn is made of these, and only say adds to them.
type line []span

// say appends a foreign text.
func (l line) say(t tone, text string) line {
	if text == "" {
		return l
	}
	return append(l, span{text: clean(text), tone: t})
}

// words is a line in one tone.
func words(t tone, text string) line { return line(nil).say(t, text) }

func (l line) width() int {
	n := 0
	for _, s := range l {
		n += text.Width(s.text)
	}
	return n
}

// cut makes a line fit into so many columns.
func (l line) cut(width int) line {
	var kept line
	for _, s := range l {
		n := text.Width(s.text)
		if n > width {
			return append(kept, span{text.Cut(s.text, width), s.tone})
		}
		kept = append(kept, s)
		width -= n
	}
	return kept
}

// wrap breaks a line wherever its room ends.
func (l line) wrap(width int) []line {
	all, room := []line{nil}, width
	for _, s := range l {
		begin, last := 0, len(all)-1
		for i, r := range s.text {
			n := text.Columns(r)
			if n > room && room < width {
				all[last] = append(all[last], span{s.text[begin:i], s.tone})
				all, room, begin = append(all, nil), width, i
				last++
			}
			room -= n
		}
		all[last] = append(all[last], span{s.text[begin:], s.tone})
	}
	return all
}

// over puts a whole line into one tone, over the whole width.
func (l line) over(t tone, width int) line {
	var text strings.Builder
	for _, s := range l {
		text.WriteString(s.text)
	}
	return line{{fit(text.String(), width), t}}
}

// draw is the line as a terminal takes it.
func (p *palette) draw(l line) string {
	var text strings.Builder
	for _, s := range l {
		if s.tone == plain {
			text.WriteString(s.text)
			continue
		}
		text.WriteString(p[s.tone].Render(s.text))
	}
	return text.String()
}
