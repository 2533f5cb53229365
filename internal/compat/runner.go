package compat

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

//go:embed testdata
var files embed.FS

// Runner tries servers one after another.
type Runner struct {
	Brood   string // the program, built
	Port    int    // the first of three that are free
	Workers int    // under load
	Times   int    // rollouts, reloads and kills of each
	Settle  time.Duration
	Unasked time.Duration // how long READY=1, or an answer that must not come, is waited for
}

func (r *Runner) port(n int) string    { return strconv.Itoa(r.Port + n) }
func (r *Runner) address(n int) string { return "127.0.0.1:" + r.port(n) }

// place makes a directory with the files of all servers, filled in.
func (r *Runner) place() (dir string, err error) {
	dir, err = os.MkdirTemp("", "compat-")
	if err != nil {
		return "", fmt.Errorf("cannot create directory: %w", err)
	}
	// Some servers leave root behind.
	if err := os.Chmod(dir, 0o755); err != nil {
		return dir, fmt.Errorf("cannot open directory: %w", err)
	}
	all, err := fs.ReadDir(files, "testdata")
	if err != nil {
		return dir, fmt.Errorf("cannot list files: %w", err)
	}
	for _, entry := range all {
		text, err := files.ReadFile("testdata/" + entry.Name())
		if err != nil {
			return dir, fmt.Errorf("cannot read file: %w", err)
		}
		filled := string(text)
		if slices.Contains([]string{".conf", ".cfg"}, filepath.Ext(entry.Name())) {
			filled = fill([]string{filled}, r.port(0), dir)[0]
		}
		if err := os.WriteFile(filepath.Join(dir, entry.Name()), []byte(filled), 0o644); err != nil {
			return dir, fmt.Errorf("cannot write file: %w", err)
		}
	}
	return dir, nil
}

// Try fills in all columns of a server.
func (r *Runner) Try(ctx context.Context, s Server) (Result, error) {
	return r.try(ctx, s, func(t *trial) []column { return []column{t.notify, t.pid, t.serve} })
}

// TryAgain asks what was seen before, for a test: it waits for what comes, if it comes, and for nothing that shall not.
func (r *Runner) TryAgain(ctx context.Context, s Server, was Result) (Result, error) {
	return r.try(ctx, s, func(t *trial) []column {
		columns := []column{t.serve}
		if was.Notifies {
			columns = append(columns, t.notify)
		}
		if !was.ChecksPID {
			columns = append(columns, t.pid)
		}
		return columns
	})
}

// column is one question.
type column func(context.Context, *Result) error

func (r *Runner) try(ctx context.Context, s Server, columns func(*trial) []column) (result Result, err error) {
	dir, err := r.place()
	defer os.RemoveAll(dir)
	if err != nil {
		return Result{}, err
	}
	result = Result{Name: s.Name, Signal: "TERM", ChecksPID: true} // the columns see the opposite
	if i := slices.Index(s.Flags, "--stop-signal"); i >= 0 {
		result.Signal = s.Flags[i+1]
	}
	if result.Version, err = version(s.Probe); err != nil {
		return result, err
	}
	if s.Build != "" {
		out, err := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, "server"), s.Build).CombinedOutput()
		if err != nil {
			return result, fmt.Errorf("cannot build %s: %w\n%s", s.Build, err, out)
		}
	}
	for _, ask := range columns(&trial{Runner: r, server: s, dir: dir}) {
		if err := ask(ctx, &result); err != nil {
			return result, fmt.Errorf("cannot try %s: %w", s.Name, err)
		}
	}
	return result, nil
}
