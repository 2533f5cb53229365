package text

import (
	"strings"
	"unicode"
)

// Neutral makes a foreign text harmless and one line long: what cannot be printed could move the cursor.
func Neutral(text string) string {
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

// firstWide is where the scripts begin of which a terminal may draw a character over two columns. Some behind it take one or
// none.
const firstWide = 0x1100

// Columns is how many columns a character takes, at most.
func Columns(r rune) int {
	if r >= firstWide {
		return 2
	}
	return 1
}

// Width is how many columns a text takes, at most.
func Width(text string) int {
	n := 0
	for _, r := range text {
		n += Columns(r)
	}
	return n
}

// Ellipsis ends what is cut. It is ASCII, as all that is drawn: there are terminals that cannot do more.
const Ellipsis = "..."

// Cut makes a text fit into so many columns.
func Cut(text string, width int) string {
	if Width(text) <= width {
		return text
	}
	mark := Ellipsis[:min(len(Ellipsis), max(0, width))]
	room := width - len(mark)
	for i, r := range text {
		if room -= Columns(r); room < 0 {
			return text[:i] + mark
		}
	}
	return text
}

// Pad fills a text up with blanks.
func Pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-Width(text)))
}

// Wrap cuts a text at its blanks into lines of so many columns; a word that is longer is cut where it has to be. A width
// below 1 knows no bounds.
func Wrap(text string, width int) []string {
	if width < 1 || Width(text) <= width {
		return []string{text}
	}
	var lines []string
	line, taken := "", 0
	for word := range strings.FieldsSeq(text) {
		for {
			n := Width(word)
			if line != "" && taken+1+n <= width {
				line, taken = line+" "+word, taken+1+n
				break
			}
			if line != "" {
				lines = append(lines, line)
			}
			if n <= width {
				line, taken = word, n
				break
			}
			at := fitting(word, width)
			lines = append(lines, word[:at])
			line, taken, word = "", 0, word[at:]
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// fitting is how many bytes of a word fit into so many columns: one character at least.
func fitting(word string, width int) int {
	for i, r := range word {
		if width -= Columns(r); width < 0 && i > 0 {
			return i
		}
	}
	return len(word)
}
