package units_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/units"
)

// path is where the configurations of the tests lie.
const path = "/etc/brood/web.toml"

// load reads a configuration whose other files are empty.
func load(t *testing.T, text string) *config.Config {
	t.Helper()
	cfg, err := config.Load(path, config.World{
		CPUs:   2,
		Getenv: func(string) string { return "/run/credentials/web" },
		ReadFile: func(name string) ([]byte, error) {
			if name == path {
				return []byte(text), nil
			}
			return nil, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// render writes the units, with a program that every machine has.
func render(t *testing.T, cfg *config.Config, opt units.Options) units.Units {
	t.Helper()
	if opt.Binary == "" {
		opt.Binary = "/bin/true"
	}
	all, err := units.Render(cfg, opt)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// settings are the lines of a unit without comments.
func settings(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			all = append(all, line)
		}
	}
	return all
}

// demand checks the settings of a unit: what begins with a ! must not be there, and what ends with = must not be set.
func demand(t *testing.T, file units.File, want []string) {
	t.Helper()
	have := settings(file.Text)
	for _, line := range want {
		line, absent := strings.CutPrefix(line, "!")
		found := slices.ContainsFunc(have, func(h string) bool {
			return h == line || absent && strings.HasSuffix(line, "=") && strings.HasPrefix(h, line)
		})
		if found == absent {
			t.Errorf("%s: %q found is %t in\n%s", file.Name, line, found, file.Text)
		}
	}
}
