package top

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
)

// clean makes a foreign text harmless and one line long: without its colours, and with a question mark for what cannot be
// printed, which could move the cursor, change a mode of the terminal, or turn the direction of writing.
func clean(text string) string {
	if printable(text) {
		return text
	}
	var b strings.Builder
	for text != "" {
		if n := colourSequence(text); n > 0 {
			text = text[n:]
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == '\n' || r == '\t':
			b.WriteByte(' ')
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			b.WriteByte('?')
		default:
			b.WriteRune(r)
		}
		text = text[size:]
	}
	return b.String()
}

// printable is true of most texts.
func printable(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// colourSequence is how long the sequence is that a text begins with, if it is one that sets colours: ESC [ ... m. It
// leaves nothing behind when it is left out, and logs are full of them.
func colourSequence(text string) int {
	if !strings.HasPrefix(text, "\x1b[") {
		return 0
	}
	end := strings.IndexFunc(text[2:], func(r rune) bool { return (r < '0' || r > '9') && r != ';' && r != ':' })
	if end < 0 || text[2+end] != 'm' {
		return 0
	}
	return 2 + end + 1
}

// columns is how wide a clean text is.
func columns(text string) int {
	if printable(text) {
		return len(text)
	}
	return lipgloss.Width(text)
}

// ellipsis ends what is cut. It is ASCII, as all that is drawn: there are terminals that cannot do more.
const ellipsis = "..."

// cut makes a clean text fit into so many columns.
func cut(text string, width int) string {
	if columns(text) <= width {
		return text
	}
	mark := ellipsis
	if width < 2*len(ellipsis) {
		mark = ellipsis[:min(1, max(0, width))]
	}
	room := width - len(mark)
	end := 0
	for i, r := range text {
		if columns(text[:i]+string(r)) > room {
			break
		}
		end = i + len(string(r))
	}
	return text[:end] + mark
}

// fit cuts or fills a clean text to so many columns.
func fit(text string, width int) string {
	text = cut(text, width)
	return text + strings.Repeat(" ", max(0, width-columns(text)))
}

// fitRight is fit with the text at the right.
func fitRight(text string, width int) string {
	text = cut(text, width)
	return strings.Repeat(" ", max(0, width-columns(text))) + text
}

// wrap breaks a clean text into lines between its words.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case columns(line)+1+columns(word) <= width:
			line += " " + word
		default:
			lines = append(lines, cut(line, width))
			line = word
		}
	}
	return append(lines, cut(line, width))
}

// bytesWords is a size in at most five columns: 512, 4.2K, 310M, 1.2G.
func bytesWords(n uint64) string {
	const unit = 1024
	size, letter := float64(n), ""
	for _, next := range []string{"K", "M", "G", "T", "P"} {
		if size < unit {
			break
		}
		size, letter = size/unit, next
	}
	if letter != "" && size < 10 {
		return fmt.Sprintf("%.1f%s", size, letter)
	}
	return fmt.Sprintf("%.0f%s", size, letter)
}

// ageWords is a duration in at most six columns: 3.2s, 12m4s, 5h12m, 3d4h.
func ageWords(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	case d < day:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
	}
}
