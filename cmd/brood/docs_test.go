package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/plan"
)

// Every example of a configuration in the documents is one that brood takes.
func TestExamplesOfConfigurations(t *testing.T) {
	world := config.World{
		Getenv:   func(string) string { return "/run/credentials" },
		ReadFile: func(string) ([]byte, error) { return nil, nil },
		CPUs:     4,
	}
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for page, block := range map[string]*regexp.Regexp{
		"../../README.md":             regexp.MustCompile("(?s)```toml\n(.*?)```"),
		"../../docs/man/brood.toml.5": regexp.MustCompile(`(?s)\.Bd -literal\n(.*?)\.Ed`),
	} {
		found += examples(t, world, page, block)
	}
	for _, page := range pages {
		found += examples(t, world, page, regexp.MustCompile("(?s)```toml\n(.*?)```"))
	}
	if found < 3 {
		t.Errorf("found %d examples: this test looks in the wrong places", found)
	}
}

// examples tries those of one page, and counts them.
func examples(t *testing.T, world config.World, page string, block *regexp.Regexp) int {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	all := block.FindAllStringSubmatch(string(text), -1)
	for i, m := range all {
		name := strings.TrimPrefix(page, "../../") + ".toml"
		f, err := config.Parse(name, []byte(m[1]))
		if err == nil {
			_, err = config.FromFile(f, world)
		}
		if err != nil {
			t.Errorf("example %d of %s:\n%v", i+1, page, err)
		}
	}
	return len(all)
}

// The page about the API has every field of what it takes and gives.
func TestFieldsOfTheAPI(t *testing.T) {
	page, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []reflect.Type{
		reflect.TypeFor[control.Body](), reflect.TypeFor[control.Result](), reflect.TypeFor[supervisor.Snapshot](), reflect.TypeFor[plan.View](),
	} {
		for _, name := range fieldsOf(of) {
			if !strings.Contains(string(page), `"`+name+`"`) {
				t.Errorf("docs/api.md lacks the field %s of %s", name, of)
			}
		}
	}
}

// fieldsOf lists the names of a structure in JSON, and of those in it.
func fieldsOf(t reflect.Type) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var names []string
	for field := range t.Fields() {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" {
			names = append(append(names, name), fieldsOf(field.Type)...)
		}
	}
	return names
}

// The picture of a status in the documents is what it looks like.
func TestPageHasTheStatus(t *testing.T) {
	const path = "../../docs/status.md"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	printStatus(&b, shop(), lastSaid{"mailer": "Error: getaddrinfo ENOTFOUND smtp.example.org"}, look{width: 80})
	want := []byte(b.String())
	block := regexp.MustCompile("(?s)(<!-- status-80 -->\n```\n)(.*?)(```)")
	m := block.FindSubmatchIndex(page)
	if m == nil {
		t.Fatal("the page has no place for it")
	}
	if *update {
		page = slices.Concat(page[:m[4]], want, page[m[5]:])
		if err := os.WriteFile(path, page, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(want), string(page[m[4]:m[5]])); diff != "" {
		t.Errorf("the page differs (-want +page; go test ./cmd/brood -update writes it anew):\n%s", diff)
	}
}
