package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/testhost"
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
	_, synopsis, _ := strings.Cut(string(page), ".Sh SYNOPSIS")
	synopsis, _, _ = strings.Cut(synopsis, ".Sh DESCRIPTION")
	for _, c := range commands {
		if !regexp.MustCompile(`(?m)^\.Cm [a-z| ]*\b` + c + `\b`).MatchString(synopsis) {
			t.Errorf("the synopsis of the man page lacks the command %s", c)
		}
		if !regexp.MustCompile(`\.(It )?Cm [a-z| ]*\b`+c+`\b`).Match(page) && !strings.Contains(string(page), "brood "+c) {
			t.Errorf("the man page lacks the command %s", c)
		}
	}
}

// Neither of the two programs that show man pages has a word to say about them.
func TestManPagesRender(t *testing.T) {
	testhost.Need(t, testhost.Program("man"), testhost.Program("mandoc"))
	pages, err := filepath.Glob("../../docs/man/*.[0-9]")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	for _, page := range pages {
		for _, argv := range [][]string{{"man", "--warnings", "-l", page}, {"mandoc", "-T", "lint", "-W", "warning", page}} {
			var said strings.Builder
			show := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
			show.Stderr = &said
			if argv[0] == "mandoc" {
				show.Stdout = &said
			}
			if err := show.Run(); err != nil || said.Len() > 0 {
				t.Errorf("%q: %v: %s", argv, err, said.String())
			}
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

// The page about the file has every table and every key, in the order of the tables, and says of each what it may be and
// what it is by default.
func TestFilePageIsComplete(t *testing.T) {
	page, err := os.ReadFile("../../docs/man/brood.toml.5")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, m := range regexp.MustCompile(`(?m)^\.(?:Ss (\[.*\])|It Cm ([a-z_]+))$\n(.*)`).FindAllSubmatch(page, -1) {
		found = append(found, string(m[1])+string(m[2]))
		if key, about := string(m[2]), string(m[3]); key != "" && !strings.ContainsAny(about, ";:.") {
			t.Errorf("the page does not say what %s may be, but %q", key, about)
		}
	}
	if diff := cmp.Diff(keysOf("", reflect.TypeFor[config.File]()), found); diff != "" {
		t.Errorf("the page differs from the tables of package config (-tables +page):\n%s", diff)
	}
}

// keysOf lists the keys of a table, and then the tables in it with theirs. Tables of one kind, one behind the other, are
// one entry.
func keysOf(table string, t reflect.Type) []string {
	var keys, inner []string
	var before reflect.Type
	if table != "" {
		keys = []string{"[" + table + "]"}
	}
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
		if name == "" {
			continue
		}
		under := strings.TrimPrefix(table+"."+name, ".")
		switch of := field.Type; {
		case of.Kind() == reflect.Struct && of == before:
			at := len(inner) - len(keysOf(under, of))
			inner[at] += ", [" + under + "]"
		case of.Kind() == reflect.Struct:
			inner = append(inner, keysOf(under, of)...)
		case of.Kind() == reflect.Map && of.Elem().Kind() == reflect.Struct:
			inner = append(inner, keysOf(under+".NAME", of.Elem())...)
		default:
			keys = append(keys, name)
		}
		before = field.Type
	}
	return append(keys, inner...)
}
