package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// folder is what is mutated, from the root of the module.
const folder = "supervisor/machine"

// result is what the search said of a mutation.
type result struct {
	mutation
	rules  []string // that were found broken; none if the bug survived
	output string
}

// plantAll tries every mutation, as many at a time as there are processors.
func plantAll(ctx context.Context) ([]result, error) {
	all := mutations()
	results, errs := make([]result, len(all)), make([]error, len(all))
	next := make(chan int)
	var workers sync.WaitGroup
	for range max(1, min(runtime.NumCPU(), 4)) {
		workers.Go(func() {
			for i := range next {
				results[i], errs[i] = plant(ctx, all[i])
			}
		})
	}
	for i := range all {
		next <- i
	}
	close(next)
	workers.Wait()
	return results, errors.Join(errs...)
}

// plant overlays one file with its mutation and runs the short searches, until one finds something.
func plant(ctx context.Context, m mutation) (result, error) {
	path := filepath.Join(folder, m.file)
	source, err := os.ReadFile(path)
	if err != nil {
		return result{}, fmt.Errorf("cannot plant a bug (run me in the root of the module): %w", err)
	}
	if n := strings.Count(string(source), m.old); n != 1 {
		return result{}, fmt.Errorf("cannot plant %q: its text occurs %d times in %s", m.name, n, path)
	}
	dir, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(dir)
	overlay, err := writeOverlay(dir, path, strings.Replace(string(source), m.old, m.new, 1))
	if err != nil {
		return result{}, fmt.Errorf("cannot plant %q: %w", m.name, err)
	}
	test := exec.CommandContext(ctx, "go", "test", "-overlay", overlay, "-vet=off", "-ldflags=-s -w", "-run", "^TestModel$",
		"-count=1", "-timeout=5m", "./"+folder, "-model=first")
	output, err := test.CombinedOutput()
	if ctx.Err() != nil {
		return result{}, ctx.Err()
	}
	r := result{mutation: m, output: string(output)}
	if strings.Contains(r.output, "[build failed]") || strings.Contains(r.output, "[setup failed]") {
		return r, fmt.Errorf("cannot plant %q: it does not build:\n%s", m.name, r.output)
	}
	if err != nil {
		r.rules = broken(r.output)
	}
	return r, nil
}

func writeOverlay(dir, path, mutant string) (string, error) {
	real, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(file, []byte(mutant), 0o600); err != nil {
		return "", err
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {real: file}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, list, 0o600)
}

// violation is how the model reports a broken rule.
var violation = regexp.MustCompile(`(?m)^ +model_test\.go:\d+: (I\d+|[a-z]+): `)

// broken lists the rules that the output says are broken. Scenarios run side by side, so their order means nothing.
func broken(output string) []string {
	var rules []string
	for _, m := range violation.FindAllStringSubmatch(output, -1) {
		rules = append(rules, m[1])
	}
	slices.SortFunc(rules, func(a, b string) int {
		if len(a) != len(b) && a[0] == 'I' && b[0] == 'I' {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(rules)
}

// show plants one bug and prints all that the search has to say.
func show(ctx context.Context, name string) error {
	for _, m := range mutations() {
		if strings.HasPrefix(m.name, name) {
			r, err := plant(ctx, m)
			fmt.Println(r.output)
			return err
		}
	}
	return fmt.Errorf("no bug is called %q", name)
}
