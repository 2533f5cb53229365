package compat

import (
	"slices"
	"testing"
)

// What is there is not missing, also if no package brought it; what is not is named once, and so is what else it takes.
func TestMissing(t *testing.T) {
	there := []string{"go", "version"}
	servers := []Server{
		{Package: "from-elsewhere", Probe: there},
		{Package: "absent-server", Probe: []string{"absent-server", "--version"}},
		{Package: "absent-server, absent-plugin", Probe: []string{"absent-server", "--version"}},
	}
	strangers := []Stranger{{Package: "from-elsewhere, absent-module", Probe: there}}
	want := []string{"absent-module", "absent-plugin", "absent-server"}
	if got := Missing(servers, strangers); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestVersion(t *testing.T) {
	for want, probe := range map[string][]string{
		"1.22.1": {"sh", "-c", "echo nginx version: nginx/1.22.1 >&2"},
		"20.1":   {"echo", "v20.1"},
		"":       {"echo", "none"},
	} {
		if got, err := version(probe); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", probe, got, err)
		}
	}
}
