package progress

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/text"
)

// terminal is what a person would see: it knows the few sequences that are used, wraps, and scrolls.
type terminal struct {
	t             *testing.T
	columns, rows int
	lines         [][]rune // what scrolled away, and what is on the screen
	row, column   int      // row counts from the first line
	wrapped       bool     // some line was too long
	writes        int
}

var sequence = regexp.MustCompile(`^\x1b\[([0-9]*)([A-Za-z])`)

func newTerminal(t *testing.T, columns, rows int) *terminal {
	return &terminal{t: t, columns: columns, rows: rows, lines: make([][]rune, 1)}
}

func (v *terminal) Write(p []byte) (int, error) {
	v.writes++
	for rest := string(p); rest != ""; {
		if m := sequence.FindStringSubmatch(rest); m != nil {
			n, _ := strconv.Atoi(m[1])
			v.obey(m[2], n)
			rest = rest[len(m[0]):]
			continue
		}
		r := []rune(rest)[0]
		v.put(r)
		rest = rest[len(string(r)):]
	}
	return len(p), nil
}

func (v *terminal) put(r rune) {
	switch {
	case r == '\r':
		v.column = 0
	case r == '\n':
		v.down()
	case r < ' ' || r == 0x7f:
		v.t.Errorf("control character %q", r)
	default:
		for range text.Columns(r) - 1 {
			v.char(' ')
		}
		v.char(r)
	}
}

func (v *terminal) char(r rune) {
	if v.column == v.columns {
		v.wrapped = true
		v.down()
	}
	for len(v.lines[v.row]) <= v.column {
		v.lines[v.row] = append(v.lines[v.row], ' ')
	}
	v.lines[v.row][v.column] = r
	v.column++
}

func (v *terminal) down() {
	v.row++
	v.column = 0
	if v.row == len(v.lines) {
		v.lines = append(v.lines, nil)
	}
}

func (v *terminal) obey(letter string, n int) {
	switch letter {
	case "A":
		if v.row-n < v.top() {
			v.t.Errorf("up %d from line %d of the screen", n, v.row-v.top())
		}
		v.row = max(v.top(), v.row-n)
	case "K":
		v.lines[v.row] = v.lines[v.row][:min(v.column, len(v.lines[v.row]))]
	case "J":
		v.obey("K", 0)
		v.lines = v.lines[:v.row+1]
	case "m":
	default:
		v.t.Errorf("unknown sequence %s", letter)
	}
}

// top is the first line that has not scrolled away.
func (v *terminal) top() int { return max(0, len(v.lines)-v.rows) }

// String is the screen, and above it what scrolled away.
func (v *terminal) String() string {
	var b strings.Builder
	for i, l := range v.lines {
		if i == len(v.lines)-1 && len(l) == 0 {
			break
		}
		b.WriteString(strings.TrimRight(string(l), " ") + "\n")
	}
	return b.String()
}
