package text

import (
	"slices"
	"strings"
	"testing"
	"testing/quick"
)

func TestNothingSteersATerminal(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"plain", "plain"},
		{"two\nlines\tand", "two lines and"},
		{"\x1b[2Jboo\x07", "?[2Jboo?"},
		{"a\u202eb\xff", "a?b?"},
		{"größe 大", "größe 大"},
	} {
		if got := Neutral(tc.in); got != tc.want {
			t.Errorf("%q: %q, want %q", tc.in, got, tc.want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tc := range []struct {
		in    string
		width int
		want  string
	}{
		{"abcdef", 6, "abcdef"},
		{"abcdef", 5, "ab..."},
		{"abcdef", 2, ".."},
		{"abcdef", 0, ""},
		{"大大大", 5, "大..."},
		{"大大大", 4, "..."},
	} {
		if got := Cut(tc.in, tc.width); got != tc.want {
			t.Errorf("%q at %d: %q, want %q", tc.in, tc.width, got, tc.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, tc := range []struct {
		in    string
		width int
		want  []string
	}{
		{"as it is", 0, []string{"as it is"}},
		{"one two three", 7, []string{"one two", "three"}},
		{"abcdefgh ij", 3, []string{"abc", "def", "gh", "ij"}},
		{"a abcdefgh", 4, []string{"a", "abcd", "efgh"}},
		{"大大 x", 1, []string{"大", "大", "x"}},
		{"", 5, []string{""}},
	} {
		if got := Wrap(tc.in, tc.width); !slices.Equal(got, tc.want) {
			t.Errorf("%q at %d: %q, want %q", tc.in, tc.width, got, tc.want)
		}
	}
}

func TestWrapLosesNothing(t *testing.T) {
	err := quick.Check(func(in string, width uint8) bool {
		in = Neutral(in)
		lines := Wrap(in, int(width))
		for _, line := range lines {
			if width > 1 && Width(line) > int(width) {
				return false
			}
		}
		bare := func(s string) string { return strings.Join(strings.Fields(s), "") }
		return bare(strings.Join(lines, " ")) == bare(in)
	}, nil)
	if err != nil {
		t.Error(err)
	}
}

func TestNear(t *testing.T) {
	words := []string{"run", "roll", "reload", "restart", "status", "stop", "scale", "ps", "logs", "h"}
	for _, tc := range []struct{ in, want string }{
		{"rnu", "run"},
		{"staus", "status"},
		{"stauts", "status"},
		{"rest", "restart"},
		{"relaod", "reload"},
		{"log", "logs"},
		{"sp", "ps"},
		{"deploy", ""},
		{"x", ""},
		{"", ""},
		{"STATUS", ""},
	} {
		if got := Near(tc.in, words); got != tc.want {
			t.Errorf("%q: %q, want %q", tc.in, got, tc.want)
		}
	}
}
