package top

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/supervisor"
)

// evil clears the screen, sets a title, asks the terminal for an answer, uses C1 controls, turns the writing, and has bytes that are no UTF-8.
const evil = "a\x1b[2J\x1b]0;owned\x07\x1b[6n\u009b31m\u202eb\xff\xfec\r\nd\x00\x7f\x1b[31mred\x1b[0m\u200b"

// poison puts a text into every string of a value.
func poison(v reflect.Value, text string) {
	switch kind := v.Kind(); {
	case kind == reflect.String:
		if v.CanSet() {
			v.SetString(text)
		}
	case kind == reflect.Pointer:
		if v.IsNil() && v.CanSet() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		if !v.IsNil() {
			poison(v.Elem(), text)
		}
	case kind == reflect.Slice:
		if v.Len() == 0 && v.CanSet() {
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		}
		for i := range v.Len() {
			poison(v.Index(i), text)
		}
	case kind == reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				poison(v.Field(i), text)
			}
		}
	}
}

// Nothing that a supervisor, a worker or a file says reaches the terminal as it is.
func TestForeignTextsDoNotSteerTheTerminal(t *testing.T) {
	var snap supervisor.Snapshot
	poison(reflect.ValueOf(&snap).Elem(), evil)
	detail := Detail{Log: make([]control.LogLine, 2), Events: make([]control.Event, 2)}
	poison(reflect.ValueOf(&detail).Elem(), evil)
	for i := range snap.Pools {
		for j := range snap.Pools[i].Workers {
			w := &snap.Pools[i].Workers[j]
			w.Slot, w.PID = j, 100+j
		}
	}
	parts := []func(*Detail){
		func(*Detail) {},
		func(d *Detail) {
			d.NoProcesses, d.NoFiles, d.NoLimits, d.NoEnviron, d.NoLog, d.NoEvents = nil, nil, nil, nil, nil, nil
		},
	}
	for _, part := range parts {
		s := begin(t, 100, 30)
		s.arrive(snap, time.Second) // every screen of a story is checked
		s.harmless()
		s.press("down", "enter")
		d := detail
		part(&d)
		s.tell(Seen{Worker: s.model.detail.worker, Detail: d})
		for range pages {
			s.harmless()
			s.press("tab")
		}
		s.press("esc", "r")
		s.harmless()
		s.press("n", "home", "S")
		s.harmless()
		s.press("n", "X")
		s.harmless()
		s.press("n", "s")
		s.harmless()
		s.press("esc")
		s.tell(Answered{What: evil, Text: evil, Lines: []string{evil}})
		s.harmless()
		s.tell(Lost{Err: &supervisorError{}, At: s.at})
		s.harmless()
		var once bytes.Buffer
		if err := newPicture(snap, meter{}, s.at).WriteText(&once); err != nil {
			t.Fatal(err)
		}
		harmless(t, once.String())
	}
}

type supervisorError struct{}

func (*supervisorError) Error() string { return evil }

func (s *story) harmless() {
	s.t.Helper()
	harmless(s.t, s.screen())
	s.hides("owned\x07")
}

func harmless(t *testing.T, screen string) {
	t.Helper()
	for _, r := range screen {
		if r != '\n' && (!unicode.IsPrint(r) || r == unicode.ReplacementChar) {
			t.Fatalf("%U in %q", r, screen)
		}
	}
}

func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "",
		"plain text":                 "plain text",
		"naïve 日本":                   "naïve 日本",
		"\x1b[1;31mred\x1b[0m":       "red",
		"\x1b[38;2;1;2;3mx\x1b[mz":   "xz",
		"\x1b[2Jx":                   "?[2Jx",
		"\x1b]0;title\x07x":          "?]0;title?x",
		"\x1b[31":                    "?[31",
		"\x1b":                       "?",
		"a\tb\nc\r":                  "a b c?",
		"\u009b2J\u202e\u200b\ufeff": "?2J???",
		"\xff\xc3":                   "??",
		"\u2028":                     "?",
	} {
		if got := clean(text); got != want {
			t.Errorf("clean(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add(evil, 7)
	f.Add("日本語 foreign", 3)
	f.Fuzz(func(t *testing.T, foreign string, width int) {
		got := clean(foreign)
		harmless(t, got)
		if strings.Contains(got, "\n") {
			t.Errorf("%q has more than one line", got)
		}
		width = max(0, width%200)
		if n := text.Width(text.Cut(got, width)); n > width {
			t.Errorf("text.Cut(%q, %d) has %d columns", got, width, n)
		}
		if n := text.Width(fit(got, width)); n != width {
			t.Errorf("fit(%q, %d) has %d columns", got, width, n)
		}
		for _, part := range text.Wrap(got, max(1, width)) {
			if text.Width(part) > max(1, width) {
				t.Errorf("text.Wrap(%q, %d) has %q", got, width, part)
			}
		}
	})
}
