package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// What the test of the examples reads is what the file says.
func TestJobIsCurrent(t *testing.T) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := generate(text)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile("job.json"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("job.json is not what go run . writes: %v", err)
	}
}

func TestMistakes(t *testing.T) {
	lines := strings.NewReplacer("{ ", "{\n", " }", "\n}")
	for text, says := range map[string]string{
		`job "a" { kind = "system" }`:                                       "no attribute kind",
		`job "a" { type = 3 }`:                                              "cannot take 3 for type",
		`job "a" { task "b" {} }`:                                           "no block task",
		`job { type = "system" }`:                                           "0 labels, not 1",
		`job "a" { group "b" { shutdown_delay = "5 s" } }`:                  "for shutdown_delay",
		`job "a" { group "b" { task "c" { template { data = "${x}" } } } }`: "Unknown variable",
		`job "a" { group "b" { count = "two" } }`:                           "for count",
		`job "a" { group "b" { name = "c" } }`:                              "no attribute name",
		`job "a" { group = "b" }`:                                           "no attribute group",
	} {
		if _, err := generate([]byte(lines.Replace(text))); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := generate([]byte(lines.Replace(`job "a" { group "b" { task "c" { config { anything = ["x"] } } } }`))); err != nil {
		t.Error(err)
	}
}
