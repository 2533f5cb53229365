package units_test

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/broodctl/brood/internal/testhost"
	"github.com/broodctl/brood/internal/units"
)

// hard are arguments that mean something to somebody on the way.
var hard = []string{
	"plain", "", " ", "a b", `"`, `'`, `\`, `\\`, `a\`, `\n`, "\n", "\t", "a\nb", "%", "%%", "%n", "100%", "$", "$$", "$HOME", "${HOME}",
	";", ";;", "#", "-", "--", "@", "!", "+x", ":", "*", "?", "{a,b}", "~", "`id`", "$(id)", "a=b", "\x01", "\x7f", "\xff", "a\xffb", "é", "日本", "\u2028", "\ufffd",
}

// FuzzQuote: what Quote writes is one line of UTF-8, and reads as what it was made of.
func FuzzQuote(f *testing.F) {
	for _, arg := range hard {
		f.Add(arg)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		word, err := units.Quote(arg)
		if strings.Contains(arg, "\x00") {
			if !errors.Is(err, units.ErrExpress) {
				t.Fatalf("%q: %q, %v", arg, word, err)
			}
			return
		}
		if err != nil || !utf8.ValidString(word) || strings.ContainsAny(word, "\n\r") || strings.HasSuffix(word, `\`) {
			t.Fatalf("%q: %q, %v", arg, word, err)
		}
		if got := unquote(t, word); got != arg {
			t.Fatalf("%q is written %s, which reads %q", arg, word, got)
		}
	})
}

// unquote reads one word as systemd.syntax(7) and systemd.service(5) have it.
func unquote(t *testing.T, word string) string {
	t.Helper()
	bare := strings.TrimSuffix(strings.TrimPrefix(word, `"`), `"`)
	quoted := len(bare) != len(word)
	if !quoted && (word == "" || strings.ContainsAny(word, " \t\"'\\;#")) {
		t.Fatalf("%q is more than one word, or less", word)
	}
	var b strings.Builder
	for i := 0; i < len(bare); i++ {
		next := byte(0)
		if i+1 < len(bare) {
			next = bare[i+1]
		}
		switch c := bare[i]; {
		case c == '"':
			t.Fatalf("%s ends too early", word)
		case c == '\\' && next == 'x':
			n, err := strconv.ParseUint(bare[i+2:i+4], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			b.WriteByte(byte(n))
			i += 3
		case c == '\\' && (next == '"' || next == '\\'), c == '%' && next == '%', c == '$' && next == '$':
			b.WriteByte(next)
			i++
		case c == '\\', c == '%', c == '$':
			t.Fatalf("%s has a lonely %c", word, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// TestSystemdReadsArguments: the real one passes on every byte, and does not mistake the program for another.
func TestSystemdReadsArguments(t *testing.T) {
	host := testhost.Boot(t)
	const program = "/opt/a %n b/print"
	host.Install(program, 0o755, []byte("#!/bin/sh\nprintf '%s\\0' \"$@\" >/run/arguments\n"))
	line, err := units.Quote(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, arg := range hard {
		word, err := units.Quote(arg)
		if err != nil {
			t.Fatal(err)
		}
		line += " " + word
	}
	host.Unit("print.service", "[Service]\nType=oneshot\nExecStart="+line+"\n")
	host.Must(t.Context(), "systemctl", "start", "print.service")
	got, err := os.ReadFile(host.Path("/run/arguments"))
	if want := strings.Join(hard, "\x00") + "\x00"; err != nil || string(got) != want {
		t.Errorf("%v: got\n%q\nwant\n%q", err, got, want)
	}
}

// FuzzValue: what Value writes is a line that systemd takes as it stands, less the doubled %.
func FuzzValue(f *testing.F) {
	for _, text := range hard {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		value, err := units.Value(text)
		switch {
		case errors.Is(err, units.ErrExpress):
		case err != nil:
			t.Fatal(err)
		case strings.ContainsAny(value, "\n\r\x00"), strings.HasSuffix(value, `\`), !utf8.ValidString(value), strings.Trim(value, " ") != value,
			strings.ReplaceAll(value, "%%", "%") != text, strings.Contains(strings.ReplaceAll(value, "%%", ""), "%"):
			t.Fatalf("%q is written %q", text, value)
		}
	})
}

// TestEscape: names that systemd allows, from which the original can be had back.
func TestEscape(t *testing.T) {
	for name, want := range map[string]string{
		"web": "web", "my-app_1.x": "my-app_1.x", "a@b": `a\x40b`, "a/b": `a\x2fb`, `a\b`: `a\x5cb`, ".a": `\x2ea`, "%n": `\x25n`, "a b": `a\x20b`, "é": `\xc3\xa9`,
	} {
		if got := units.Escape(name); got != want {
			t.Errorf("%q is written %q, want %q", name, got, want)
		}
	}
	seen := map[string]string{}
	for i := range 256 {
		for _, name := range []string{string([]byte{byte(i)}), "a" + string([]byte{byte(i)})} {
			escaped := units.Escape(name)
			if other, ok := seen[escaped]; ok {
				t.Errorf("%q and %q are both written %s", name, other, escaped)
			}
			seen[escaped] = name
			if strings.Trim(escaped, `abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.-\`) != "" {
				t.Errorf("%q has a sign that systemd refuses", escaped)
			}
		}
	}
}
