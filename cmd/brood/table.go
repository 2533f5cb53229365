package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/broodctl/brood/internal/text"
)

// column is one column of a table. One without cells is left out.
type column struct {
	head  string
	cells []string
	least int // it may be cut to so many columns; 0: it may not
	drop  int // it is left out where there is no room for all, the highest first; 0 stays
}

// gap is what stands between two columns.
const gap = 2

func (c *column) width() int {
	n := text.Width(c.head)
	for _, cell := range c.cells {
		n = max(n, text.Width(cell))
	}
	return n
}

// tableWidth is how many columns of a terminal a table takes.
func tableWidth(columns []column) int {
	n := -gap
	for i := range columns {
		if len(columns[i].cells) > 0 {
			n += gap + columns[i].width()
		}
	}
	return n
}

// printTable lines columns up. For a width, if there is one, what can be spared is left out first; then what may be cut is
// cut, from the last one on. rowColour is that of each row.
func printTable(w io.Writer, columns []column, look look, rowColour func(row int) string) {
	width := look.width
	columns = fewer(columns, width)
	widths := make([]int, len(columns))
	for i := range columns {
		widths[i] = columns[i].width()
	}
	surplus := 0
	if width > 0 {
		surplus = max(0, tableWidth(columns)-width)
	}
	for i := len(columns) - 1; i >= 0; i-- {
		if least := columns[i].least; least > 0 && least < widths[i] {
			less := min(widths[i]-least, surplus)
			widths[i] -= less
			surplus -= less
		}
	}
	row := func(colour string, cell func(column) string) {
		var b strings.Builder
		for i, c := range columns {
			b.WriteString(text.Pad(text.Cut(cell(c), widths[i]), widths[i]+gap))
		}
		_, _ = fmt.Fprintln(w, look.paint(colour, strings.TrimRight(b.String(), " ")))
	}
	row("", func(c column) string { return c.head })
	for i := range columns[0].cells {
		row(rowColour(i), func(c column) string { return c.cells[i] })
	}
}

// fewer leaves out columns without cells, and those for which there is no room.
func fewer(columns []column, width int) []column {
	kept := slices.DeleteFunc(slices.Clone(columns), func(c column) bool { return len(c.cells) == 0 })
	for width > 0 && tableWidth(kept) > width {
		first := 0
		for i := range kept {
			if kept[i].drop > kept[first].drop {
				first = i
			}
		}
		if kept[first].drop == 0 {
			break
		}
		kept = slices.Delete(kept, first, first+1)
	}
	return kept
}

// printParts writes short texts side by side, and goes on in the next line where the width is over.
func printParts(w io.Writer, parts []string, width int) {
	var lines []string
	for _, part := range parts {
		last := len(lines) - 1
		if part == "" {
			continue
		}
		if last >= 0 && (width < 1 || text.Width(lines[last])+gap+text.Width(part) <= width) {
			lines[last] += strings.Repeat(" ", gap) + part
			continue
		}
		for _, line := range text.Wrap(part, max(0, width-gap)) {
			if len(lines) > 0 {
				line = strings.Repeat(" ", gap) + line
			}
			lines = append(lines, line)
		}
	}
	for _, line := range lines {
		_, _ = fmt.Fprintln(w, line)
	}
}

// printNote writes a sentence, indented, over as many lines as it takes.
func printNote(w io.Writer, note string, width int) {
	for i, line := range text.Wrap(text.Neutral(note), max(0, width-4)) {
		indent := "  "
		if i > 0 {
			indent = "    "
		}
		_, _ = fmt.Fprintln(w, indent+line)
	}
}
