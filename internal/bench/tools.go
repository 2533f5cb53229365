package main

import (
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed testdata/board.h testdata/tiny.c testdata/floor.c testdata/pour.c
var sources embed.FS

// tools are the programs that a measurement needs besides brood.
type tools struct {
	dir                      string
	brood, floor, tiny, work string // work is the guest that serves HTTP
	pour                     string
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
	t, err := buildFloor(dir)
	if err != nil {
		return tools{}, err
	}
	t.brood, t.work = brood, filepath.Join(dir, "guest")
	return t, build("go", "build", "-o", t.work, "github.com/broodctl/brood/internal/testguest/guest")
}

// buildFloor compiles what needs no brood: the floor and its worker.
func buildFloor(dir string) (tools, error) {
	t := tools{dir: dir, floor: filepath.Join(dir, "floor"), tiny: filepath.Join(dir, "tiny"), pour: filepath.Join(dir, "pour")}
	for _, name := range []string{"board.h", "tiny.c", "floor.c", "pour.c"} {
		text, err := sources.ReadFile("testdata/" + name)
		if err != nil {
			return tools{}, fmt.Errorf("cannot read %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return tools{}, fmt.Errorf("cannot write %s: %w", name, err)
		}
	}
	for _, program := range []string{t.tiny, t.floor, t.pour} {
		if err := build("gcc", "-O2", "-Wall", "-Werror", "-static", "-o", program, program+".c"); err != nil {
			return tools{}, err
		}
	}
	return t, nil
}

func build(argv ...string) error {
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("cannot run %v: %w\n%s", argv, err, out)
	}
	return nil
}
