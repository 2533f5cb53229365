package config

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// files is a world that has these files alone, and four CPUs.
func files(content map[string]string) World {
	return World{
		CPUs: 4, Dir: "/srv", Processors: twoNodes,
		Getenv: func(name string) string {
			return map[string]string{"CREDENTIALS_DIRECTORY": "/run/credentials/brood"}[name]
		},
		ReadFile: func(name string) ([]byte, error) {
			if text, ok := content[name]; ok {
				return []byte(text), nil
			}
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		},
	}
}

// twoNodes are four CPUs that may be used, on two of three nodes.
func twoNodes() (Processors, error) {
	return Processors{Allowed: []int{0, 1, 3, 8}, Nodes: map[int][]int{0: {0, 1}, 1: {3, 8}}}, nil
}

// golden compares with a file, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (- wanted, + got):\n%s", filepath.Base(path), diff)
	}
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
