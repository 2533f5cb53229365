package logs

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func frame(chunks ...string) (lines []string) {
	f := framer{limit: maxLine}
	emit := func(line []byte, _ bool) { lines = append(lines, string(line)) }
	for _, c := range chunks {
		f.push([]byte(c), emit)
	}
	f.flush(emit)
	return lines
}

func TestFramer(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	tests := []struct {
		name   string
		chunks []string
		want   []string
	}{
		{"nothing", []string{""}, nil},
		{"one line", []string{"a\n"}, []string{"a"}},
		{"no newline at the end", []string{"a\nb"}, []string{"a", "b"}},
		{"empty lines", []string{"\n\n"}, []string{"", ""}},
		{"in pieces", []string{"a", "b", "\nc", "\n"}, []string{"ab", "c"}},
		{"exactly the limit", []string{long + "\n"}, []string{long}},
		{"one more", []string{long + "y\n"}, []string{long, "y"}},
		{"without end", []string{long, long, "y"}, []string{long, long, "y"}},
		{"character at the cut", []string{long[1:] + "é\n"}, []string{long[1:], "é"}},
		{"no UTF-8 at the cut", []string{long[3:] + "\x80\x80\x80\x80\x80\n"}, []string{long[3:] + "\x80\x80\x80", "\x80\x80"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := frame(tt.chunks...); !slices.Equal(got, tt.want) {
				t.Errorf("got %.80q, want %.80q", got, tt.want)
			}
		})
	}
}

// Whatever the sizes of the reads, the pieces put together are the input.
func FuzzFramer(f *testing.F) {
	f.Add([]byte("a\nb\n\nc"), uint8(2), uint8(9))
	f.Add([]byte("äöüäöüäöü\n"), uint8(0), uint8(0))
	f.Add([]byte("\x80\x80\x80\x80\x80\x80"), uint8(3), uint8(1))
	f.Fuzz(func(t *testing.T, input []byte, step, room uint8) {
		fr := framer{limit: utf8.UTFMax + int(room)}
		var whole []byte // what was emitted, with newlines where the input has them
		emit := func(line []byte, _ bool) {
			if len(line) > fr.limit {
				t.Fatalf("a piece of %d bytes", len(line))
			}
			if bytes.IndexByte(line, '\n') >= 0 {
				t.Fatal("a newline within a line")
			}
			whole = append(whole, line...)
			if len(whole) < len(input) && input[len(whole)] == '\n' {
				whole = append(whole, '\n')
			} else if len(whole) < len(input) && len(line) <= fr.limit-utf8.UTFMax {
				t.Fatalf("a line was cut after %d bytes", len(line))
			}
		}
		for rest := input; len(rest) > 0; {
			n := min(int(step)+1, len(rest))
			fr.push(bytes.Clone(rest[:n]), emit)
			rest = rest[n:]
		}
		fr.flush(emit)
		if !bytes.Equal(whole, input) {
			t.Fatalf("%q became %q", input, whole)
		}
	})
}

func TestPrefix(t *testing.T) {
	tests := []struct {
		label  string
		width  int
		colour bool
		want   string
	}{
		{"web.2", 0, false, "web.2 | "},
		{"web.2", 7, false, "web.2   | "},
		{"größe.1", 8, false, "größe.1  | "},
		{"web.2", 6, true, "\x1b[0;33mweb.2  |\x1b[0m "},
	}
	for _, tt := range tests {
		if got := string(newPrefix(tt.label, tt.width, tt.colour)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.label, got, tt.want)
		}
	}
}

func TestTail(t *testing.T) {
	tests := []struct {
		name   string
		writes []string
		n      int
		want   []string
	}{
		{"nothing", nil, 3, nil},
		{"fewer than asked", []string{"a\n"}, 3, []string{"a"}},
		{"the last ones", []string{"a\nb\n", "c\n"}, 2, []string{"b", "c"}},
		{"no newline yet", []string{"a\nb"}, 1, []string{"b"}},
		{"blank lines do not count", []string{"a\n\n \r\nb\n\n"}, 2, []string{"a", "b"}},
		{"escapes and controls", []string{"\x1b[1;31mred\x1b[0m\x07 \x1b]0;title\x07x\ty\x00\r\n"}, 1, []string{"red x y"}},
		{"strings of escapes", []string{"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\ \x1bPq#0\x1b\\pic\x1b_x\x1b\\!\n"}, 1, []string{"link pic!"}},
		{"escape cut off", []string{"a\x1b[3"}, 1, []string{"a"}},
		{"bad UTF-8", []string{"a\xffb\n"}, 1, []string{"a\ufffdb"}},
		{"long line", []string{strings.Repeat("x", 1000)}, 1, []string{strings.Repeat("x", tailLine) + "…"}},
		{"oldest line lost its beginning", []string{strings.Repeat("x", tailSize), "yz\nnew\n"}, 2, []string{"…" + strings.Repeat("x", tailLine) + "…", "new"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var tl tail
			for _, w := range tt.writes {
				tl.add([]byte(w))
			}
			if got := tl.last(tt.n); !slices.Equal(got, tt.want) {
				t.Errorf("got %.120q, want %.120q", got, tt.want)
			}
		})
	}
}

// Whatever the sizes of the writes, the tail equals the end of what was written.
func FuzzTail(f *testing.F) {
	f.Add([]byte("abc"), uint16(5000), uint8(9))
	f.Add([]byte("line\n"), uint16(1), uint8(200))
	f.Fuzz(func(t *testing.T, unit []byte, times uint16, writes uint8) {
		block := bytes.Repeat(unit, int(times)%4000)
		if len(block) > 3*tailSize {
			block = block[:3*tailSize]
		}
		var tl tail
		var all []byte
		for range writes % 32 {
			tl.add(block)
			all = append(all, block...)
		}
		got := append(bytes.Clone(tl.buf[tl.start:]), tl.buf[:tl.start]...)
		want := all[max(0, len(all)-tailSize):]
		if !bytes.Equal(got, want) {
			t.Fatalf("kept %d bytes that differ from the last %d written", len(got), len(want))
		}
	})
}

// However a worker's bytes come in pieces, its lines are the same.
func FuzzRender(f *testing.F) {
	f.Add([]byte("a\n\nbb\nccc"), uint8(1), uint16(1))
	f.Add([]byte("a\nb\nc\n"), uint8(200), uint16(30000))
	f.Fuzz(func(t *testing.T, text []byte, step uint8, repeat uint16) {
		if len(text)*int(repeat) > 1<<20 {
			return
		}
		text = bytes.Repeat(text, int(repeat))
		for _, form := range []form{plain, prefixed} {
			l := &lane{mux: &Mux{}}
			l.lines.limit = maxLine
			l.look = look{form: form, of: Worker{Pool: "web"}, mux: l.mux}
			l.look.at(0)
			var got []byte
			for rest := text; len(rest) > 0; {
				n := min(int(step)*300+1, len(rest), chunkSize)
				got = l.render(got, rest[:n])
				rest = rest[n:]
			}
			var want []byte
			one := framer{limit: maxLine}
			one.push(text, func(line []byte, more bool) { want = l.look.append(want, line, more) })
			if !bytes.Equal(got, want) || !bytes.Equal(l.lines.partial, one.partial) {
				t.Fatalf("form %d in pieces of %d: %.200q, want %.200q", form, int(step)*300+1, got, want)
			}
		}
	})
}
