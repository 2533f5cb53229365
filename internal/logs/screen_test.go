package logs

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestShown(t *testing.T) {
	for _, tt := range []struct{ name, line, plain, colour string }{
		{"plain", "a\tb ü 漢 👩‍💻", "a\tb ü 漢 👩‍💻", ""},
		{"colours", "\x1b[1;31mred\x1b[0m \x1b[38:5:208mx", "red x", "\x1b[1;31mred\x1b[0m \x1b[38:5:208mx"},
		{"clears the screen", "\x1b[2J\x1b[3J\x1b[Hhi\x1bc", "hi", ""},
		{"a title, a link, the clipboard", "\x1b]0;title\a1\x1b]8;;http://x\x1b\\2\x1b]52;c;aGk=\a3", "123", ""},
		{"another line in front", "x\rweb.1 | lie", "x web.1 | lie", ""},
		{"windows", "line\r", "line", ""},
		{"C1 and backspaces", "a\u009b2Jb\b\bc\x7f\x00d", "a2Jbcd", ""},
		{"another direction", "a\u202egnp.exe\u2066", "agnp.exe", ""},
		{"no UTF-8", "a\xffb\x9b2J", "a\ufffdb\ufffd2J", ""},
		{"private modes", "\x1b[?25l\x1b[?1049hx\x1b[>4;2m", "x", ""},
		{"another set of characters", "\x1b(Ba\x1b#8b\x1b7c", "abc", ""},
		{"cut off", "a\x1b[3", "a", ""},
		{"empty", "", "", ""},
	} {
		want := map[Screen]string{PlainScreen: tt.plain, ColourScreen: tt.colour}
		if tt.colour == "" {
			want[ColourScreen] = tt.plain
		}
		for screen, want := range want {
			if got := string(screen.appendShown([]byte("> "), []byte(tt.line))); got != "> "+want {
				t.Errorf("%s on %d: %q, want %q", tt.name, screen, got, want)
			}
		}
	}
}

// On a screen the lines of a worker are harmless; behind a pipe they are as they were.
func TestPrefixOnAScreen(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.ScreenOut = PlainScreen })
	s := h.open(t, "web.0", Prefix)
	say(t, s.Stdout(), "\x1b[2Jhi\n")
	say(t, s.Stderr(), "\x1b[2Jhi\n")
	s.Spawned(1)
	s.Close()
	stdout, stderr := h.finish(t)
	if stdout != "web.0 | hi\n" || stderr != "web.0 | \x1b[2Jhi\n" {
		t.Errorf("%q, %q", stdout, stderr)
	}
}

// Whatever a worker writes, no more than text and colours get to a screen.
func FuzzShown(f *testing.F) {
	f.Add([]byte("a\x1b[31mb\x1b]0;x\x1b\\\r\xff\u009b"))
	f.Fuzz(func(t *testing.T, line []byte) {
		got := string(ColourScreen.appendShown(nil, line))
		if !utf8.ValidString(got) {
			t.Fatalf("%q is no UTF-8", got)
		}
		for {
			at := strings.IndexByte(got, '\x1b')
			text := got
			if at >= 0 {
				text = got[:at]
			}
			for _, r := range text {
				if r < ' ' && r != '\t' || r >= 0x7f && steers(r) {
					t.Fatalf("%q holds %q", got, r)
				}
			}
			if at < 0 {
				return
			}
			n := escapeLen([]byte(got[at:]))
			if !isColour([]byte(got[at : at+n])) {
				t.Fatalf("%q holds %q", got, got[at:at+n])
			}
			got = got[at+n:]
		}
	})
}
