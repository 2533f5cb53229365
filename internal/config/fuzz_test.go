package config

import (
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzLoad: no text makes reading panic, each problem is at a place of the text, and what is good survives being
// completed, written and read again.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/broken/*.toml", "testdata/good/*.toml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			f.Add(mustRead(f, path))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		w := fullWorld()
		file, err := Parse("brood.toml", text)
		if err != nil {
			checkPlaces(t, text, err)
			return
		}
		c, err := FromFile(file, w)
		if err != nil {
			checkPlaces(t, text, err)
			return
		}
		checkSame(t, file, c, w)
	})
}

// sameText compares regular expressions by what they say.
var sameText = cmp.Comparer(func(a, b *regexp.Regexp) bool { return a == b || a != nil && b != nil && a.String() == b.String() })

func checkPlaces(t *testing.T, text []byte, err error) {
	t.Helper()
	problems, ok := errors.AsType[Problems](err)
	if !ok || len(problems) == 0 || problems.Error() == "" {
		t.Fatalf("no problems, but %v", err)
	}
	lines := strings.Split(string(text), "\n")
	for _, p := range problems {
		if p.File != "brood.toml" {
			continue // of a file of variables
		}
		if p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Column > utf8.RuneCountInString(lines[p.Line-1])+1 {
			t.Errorf("%d:%d is not in the text: %v", p.Line, p.Column, p)
		}
		if p.Message == "" {
			t.Errorf("a problem without words: %+v", p)
		}
	}
}

// checkSame writes a file in two ways, as it is and complete, and compares what is read back.
func checkSame(t interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}, file *File, want *Config, w World,
) {
	t.Helper()
	for _, f := range []*File{file, Complete(file)} {
		text, err := Encode(f)
		if err != nil {
			t.Fatalf("%v", err)
		}
		got, err := read(string(text), w)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		options := cmp.Options{cmpopts.IgnoreUnexported(Config{}), cmpopts.IgnoreFields(Config{}, "Path"), cmpopts.EquateEmpty(), sameText}
		if diff := cmp.Diff(want, got, options); diff != "" {
			t.Errorf("(- read, + written and read)\n%s\n%s", diff, text)
		}
	}
}
