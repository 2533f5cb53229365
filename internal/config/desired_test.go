package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// What pools are to be goes from one program to the next as JSON, and is the same there: nothing of it is hidden.
func TestDesiredThroughJSON(t *testing.T) {
	all, err := filepath.Glob("testdata/*/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	anywhere := World{
		Getenv: func(string) string { return "/run/credentials" }, CPUs: 4,
		ReadFile: func(path string) ([]byte, error) {
			if text, err := os.ReadFile(path); err == nil {
				return text, nil
			}
			return []byte("SECRET=of-sixteen-letters"), nil
		},
	}
	tried := map[string]bool{}
	for _, path := range all {
		cfg, err := Load(path, anywhere)
		if err != nil {
			continue // one that is broken
		}
		tried[filepath.Base(path)] = true
		d := cfg.Desired()
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		var again plan.Desired
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		same := cmp.Comparer(func(a, b *regexp.Regexp) bool {
			return a == nil && b == nil || a != nil && b != nil && a.String() == b.String()
		})
		if diff := cmp.Diff(d, again, same, cmp.AllowUnexported(worker.ExitSet{}), cmp.FilterPath(isDocument, cmp.Ignore())); diff != "" {
			t.Errorf("%s (- before, + after):\n%s", path, diff)
		}
	}
	if !tried["every-key.toml"] || !tried["full.toml"] {
		t.Errorf("only these are valid: %v", tried)
	}
}

// isDocument: it is JSON itself, and loses its indentation.
func isDocument(p cmp.Path) bool { return p.String() == "Document" }
