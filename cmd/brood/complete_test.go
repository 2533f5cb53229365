package main

import (
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCompletions(t *testing.T) {
	app := newApp(io.Discard, io.Discard)
	for _, tc := range []struct{ line, want string }{
		{"brood re", "reload restart"},
		{"brood sta", "status"},
		{"brood demo", ""},
		{"brood help ro", "roll"},
		{"X=1 brood sta", "status"},
		{"brood roll --w", "--wait=false"},
		{"brood roll --wait=", "--wait=true --wait=false"},
		{"brood roll --wait=false --w", ""},
		{"brood status --output ", "table json"},
		{"brood status -o ", "table json"},
		{"brood status --output=j", "--output=json"},
		{"brood status --ou'tput' t", "table"},
		{"brood events --kind ", strings.Join(kindWords(), " ")},
		{"brood events --kind death --k", "--kind"},
		{"brood run --ready ht", "http:"},
		{"brood run -c ", ":files"},
		{"brood run --config=x", ":files"},
		{"brood run --dir ", ":dirs"},
		{"brood run --no-color ", ":command"},
		{"brood run -n 2 ", ":command"},
		{"brood run -n 2 node ", ":files"},
		{"brood run -n 2 node --no-", ":files"},
		{"brood run -- ", ":command"},
		{"brood run -- node --out", ":files"},
		{"brood completion ", "bash zsh fish"},
		{"brood completion bash ", ""},
		{"brood top --sort me", "mem"},
		{"brood run --log-file-format p", "plain prefix"},
		{"brood run --log-file ", ":files"},
		{"brood signal web.0 US", "USR1 USR2"},
		{"brood scale ", ""},
		{"brood rnu --", ""},
		{"brood stop --timeout ", ""},
	} {
		var out strings.Builder
		printCompletions(&out, app, []string{"line", tc.line}, lookup{control: filepath.Join(t.TempDir(), "none")})
		var words []string
		for line := range strings.Lines(out.String()) {
			word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			words = append(words, word)
		}
		if got := strings.Join(words, " "); got != tc.want {
			t.Errorf("%q: %s, want %s", tc.line, got, tc.want)
		}
	}
}

// Every word that is offered for a flag stands for a flag that there is.
func TestEnumeratedFlagsExist(t *testing.T) {
	var names []string
	for _, c := range newApp(io.Discard, io.Discard).Commands {
		for _, f := range c.Flags {
			names = append(names, f.Names()...)
		}
	}
	for flag := range enumerated() {
		if !slices.Contains(names, flag) {
			t.Errorf("there is no --%s", flag)
		}
	}
}

// TAB takes no longer than 200 ms, whoever does not answer.
func TestCompletionsDoNotWait(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mute.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	begin := time.Now()
	if pools, slots := (lookup{control: path}).places(); len(pools)+len(slots) > 0 {
		t.Errorf("%v %v", pools, slots)
	}
	if took := time.Since(begin); took > 200*time.Millisecond {
		t.Errorf("it took %s", took)
	}
}

// What others call their pools cannot do anything on a command line.
func TestSpecialCharactersAreNotOffered(t *testing.T) {
	for _, word := range []string{"a b", "a;b", "$(a)", "`a`", "a\tb", "a\nb", "ä", "a|b", "~", "*", "'", `"`, `\`, "a/b", "!"} {
		if !strings.ContainsFunc(word, isSpecial) {
			t.Errorf("%q is offered", word)
		}
	}
}

func FuzzShellWords(f *testing.F) {
	for _, line := range []string{"", "brood", "brood status -o 'js", `brood "a b" c\ d e`, "X=1 brood x"} {
		f.Add(line)
	}
	app := newApp(io.Discard, io.Discard)
	f.Fuzz(func(t *testing.T, line string) {
		if len(shellWords(line)) == 0 {
			t.Errorf("%q has no word at the cursor", line)
		}
		if strings.Contains(line, "-") { // of flags alone: others ask supervisors
			printCompletions(io.Discard, app, []string{"line", "brood roll --" + line}, lookup{control: "/nonexistent/none"})
		}
	})
}
