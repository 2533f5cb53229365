package main

import (
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// The man page has every flag and command, and no others.
func TestManPageIsComplete(t *testing.T) {
	page, err := os.ReadFile("../../docs/man/brood.1")
	if err != nil {
		t.Fatal(err)
	}
	app := newApp(io.Discard, io.Discard)
	var flags, commands []string
	for _, c := range app.Commands {
		if c.Hidden {
			continue
		}
		commands = append(commands, c.Name)
		for _, f := range c.Flags {
			flags = append(flags, f.Names()[0])
		}
	}
	var named []string
	for _, m := range regexp.MustCompile(`Fl -([a-z][a-z-]+)`).FindAllSubmatch(page, -1) {
		named = append(named, string(m[1]))
	}
	for _, f := range flags {
		if !slices.Contains(named, f) {
			t.Errorf("the man page lacks --%s", f)
		}
	}
	for _, f := range named {
		if !slices.Contains(flags, f) {
			t.Errorf("the man page has --%s, which does not exist", f)
		}
	}
	for _, c := range commands {
		if !regexp.MustCompile(`\.(It )?Cm [a-z| ]*\b`+c+`\b`).Match(page) && !strings.Contains(string(page), "brood "+c) {
			t.Errorf("the man page lacks the command %s", c)
		}
	}
}

// Every flag has its variable, and no two flags of a command share a name.
func TestFlagsHaveVariables(t *testing.T) {
	for _, c := range newApp(io.Discard, io.Discard).Commands {
		for _, f := range c.Flags {
			doc, ok := f.(cli.DocGenerationFlag)
			name := f.Names()[0]
			want := "BROOD_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
			if !ok || !slices.Equal(doc.GetEnvVars(), []string{want}) {
				t.Errorf("%s --%s: variables %v, want %s", c.Name, name, doc.GetEnvVars(), want)
			}
		}
	}
}
