package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// steady writes an output into the file steady, with words for what is another one in every run: times, processes, sizes, and
// this machine. What only some machines tell is left out: steady stdout. Of a stream of what happens, in which states may be left
// out, the end is kept: steady -end stdout.
func steady(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 || len(args) == 2 && args[0] != "-end" {
		ts.Fatalf("usage: steady [-end] FILE")
	}
	text := strings.ReplaceAll(ts.ReadFile(args[len(args)-1]), ts.Getenv("WORK"), "$WORK")
	if len(args) == 2 {
		lines := slices.Collect(strings.Lines(text))
		text = lines[len(lines)-1]
	}
	ts.Check(os.WriteFile(ts.MkAbs("steady"), []byte(steadyTables(steadyWords(text))), 0o644))
}

func steadyWords(text string) string {
	for _, r := range []struct{ old, by string }{
		{`(?m)^ *"memory_peak_bytes": .*\n`, ""},
		{`(?ms)^      "pressure": \{.*?^      \},\n`, ""},
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`, "TIME"},
		{`\d\d:\d\d:\d\d\.\d{3}`, "CLOCK"},
		{`((?:\bpid|"pid":|\bprocess|in place of) ?)\d+`, "${1}PID"},
		{`("(?:id|cpu_percent|age_seconds|elapsed_seconds|memory_bytes|cpu_seconds|last_seconds|fds|pids|cpu)": ?)[\d.e-]+`, "${1}N"},
		{`("go": ?")[^"]+`, "${1}GO"},
		{`("platform": ?")[^"]+`, "${1}PLATFORM"},
		{`\(go[\d.]+[^,]*, [a-z]+/[a-z0-9]+\)`, "(GO, PLATFORM)"},
		{`\b(up|loaded|after) \d[\d.dhms]*`, "$1 AGE"},
		{`\b\d[\d.dhms]*s ago`, "AGE ago"},
		{`(nothing happened for )[\d.]+[mµ]?s`, "${1}AGE"},
		{`(?m)^\d+\.\ds `, "AGE "},
		{`"since": \d+`, `"since": N`},
	} {
		text = regexp.MustCompile(r.old).ReplaceAllString(text, r.by)
	}
	return text
}

// steadyTables replaces cells, and the blanks between them, which go by the widest. Of brood top it is every number.
func steadyTables(text string) string {
	blanks, figures := regexp.MustCompile(` {2,}`), regexp.MustCompile(` \d+(\.\d+)?[KMGs]?\b`)
	var b strings.Builder
	var heads []string
	for line := range strings.Lines(text) {
		cells := blanks.Split(strings.TrimSuffix(line, "\n"), -1)
		switch {
		case slices.Contains(cells, "WHY NOT READY, LAST EXIT"):
			return b.String() + blanks.ReplaceAllString(figures.ReplaceAllString(text[strings.Index(text, line):], " N"), "  ")
		case slices.Contains(cells, "STATE") && (slices.Contains(cells, "PID") || slices.Contains(cells, "MEMBER")):
			heads = cells
		case heads == nil, len(cells) != len(heads):
			heads = nil
			b.WriteString(line)
			continue
		default:
			for i, head := range heads {
				if slices.Contains([]string{"PID", "AGE", "UP", "SINCE", "CPU", "MEM", "FDS", "PROCS"}, head) && cells[i] != nothing {
					cells[i] = head
				}
			}
		}
		b.WriteString(strings.Join(cells, "  ") + "\n")
	}
	return b.String()
}

// Every command has a script that compares its whole output with what it is to be, for people and for programs.
func TestEveryCommandHasItsOutputCompared(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	compared := regexp.MustCompile(`(?m)^(?:exec|exits \d+) (?:\S.* )?brood ([a-z]+)(.*)\n(?:! stderr .*\n|stderr .*\n)*(?:steady(?: -end)? stdout\ncmp steady|cmp(?:env)? stdout) `)
	found := map[string]bool{}
	for _, path := range scripts {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range compared.FindAllStringSubmatch(string(text), -1) {
			form := " for people"
			if strings.Contains(m[2], "-o json") {
				form = " for programs"
			}
			found[m[1]+form] = true
		}
	}
	for _, c := range newApp(io.Discard, io.Discard).VisibleCommands() {
		forms := []string{" for people", " for programs"}
		if flagNamed(c.Flags, "output") == nil {
			forms = forms[:1]
		}
		for _, form := range forms {
			if !found[c.Name+form] {
				t.Errorf("no script compares the output of brood %s%s", c.Name, form)
			}
		}
	}
}

// Whose output is a table or a verdict has it for programs as well. The others print files, or are programs themselves.
func TestEveryCommandSpeaksToPrograms(t *testing.T) {
	for _, c := range newApp(io.Discard, io.Discard).VisibleCommands() {
		if flagNamed(c.Flags, "output") == nil && !slices.Contains([]string{commandRun, "completion"}, c.Name) {
			t.Errorf("brood %s has no --output", c.Name)
		}
	}
}
