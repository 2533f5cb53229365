package main

import (
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed testdata/board.h testdata/tiny.c testdata/floor.c
var sources embed.FS

// tools are the programs that a measurement needs besides brood.
type tools struct {
	dir                      string
	brood, floor, tiny, work string // work is the guest that serves HTTP
}

// buildTools compiles them into dir.
func buildTools(dir, brood string) (tools, error) {
	brood, err := filepath.Abs(brood)
	if err != nil {
		return tools{}, fmt.Errorf("cannot find brood: %w", err)
	}
	if _, err := os.Stat(brood); err != nil {
		return tools{}, fmt.Errorf("cannot find brood (make build makes it): %w", err)
	}
	t := tools{
		dir: dir, brood: brood, floor: filepath.Join(dir, "floor"),
		tiny: filepath.Join(dir, "tiny"), work: filepath.Join(dir, "guest"),
	}
	for _, name := range []string{"board.h", "tiny.c", "floor.c"} {
		text, err := sources.ReadFile("testdata/" + name)
		if err != nil {
			return tools{}, fmt.Errorf("cannot read %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return tools{}, fmt.Errorf("cannot write %s: %w", name, err)
		}
	}
	for _, argv := range [][]string{
		{"gcc", "-O2", "-Wall", "-Werror", "-static", "-o", t.tiny, filepath.Join(dir, "tiny.c")},
		{"gcc", "-O2", "-Wall", "-Werror", "-static", "-o", t.floor, filepath.Join(dir, "floor.c")},
		{"go", "build", "-o", t.work, "github.com/broodctl/brood/internal/testguest/guest"},
	} {
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			return tools{}, fmt.Errorf("cannot run %v: %w\n%s", argv, err, out)
		}
	}
	return t, nil
}
