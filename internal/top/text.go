package top

import (
	"strings"

	"github.com/broodctl/brood/internal/text"
)

// clean makes a foreign text harmless and one line long. Its colours are left out, of which logs are full; of other sequences
// remains what can be printed.
func clean(s string) string {
	if !strings.Contains(s, colourBegins) {
		return text.Neutral(s)
	}
	var b strings.Builder
	for s != "" {
		if n := colourSequence(s); n > 0 {
			s = s[n:]
			continue
		}
		end := strings.Index(s[1:], colourBegins) + 1
		if end == 0 {
			end = len(s)
		}
		b.WriteString(s[:end])
		s = s[end:]
	}
	return text.Neutral(b.String())
}

const colourBegins = "\x1b["

// colourSequence is how long the sequence is that a text begins with, if it is one that sets colours: ESC [ ... m.
func colourSequence(s string) int {
	if !strings.HasPrefix(s, colourBegins) {
		return 0
	}
	end := strings.IndexFunc(s[2:], func(r rune) bool { return (r < '0' || r > '9') && r != ';' && r != ':' })
	if end < 0 || s[2+end] != 'm' {
		return 0
	}
	return 2 + end + 1
}

// fit cuts or fills a clean text to so many columns.
func fit(s string, width int) string { return text.Pad(text.Cut(s, width), width) }

// fitRight is fit with the text at the right.
func fitRight(s string, width int) string {
	s = text.Cut(s, width)
	return strings.Repeat(" ", max(0, width-text.Width(s))) + s
}
