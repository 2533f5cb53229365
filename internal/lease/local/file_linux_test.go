package local_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/local"
)

// An engine that holds places in a file that was removed or replaced says so, and begins a new one when it holds none.
func TestReplacedFile(t *testing.T) {
	for _, c := range []struct {
		what string
		harm func(path string) error
		says string
	}{
		{"removed", os.Remove, "and 1 places in it are held"}, // or replaced, if who waits was faster
		{"replaced", func(path string) error {
			return errors.Join(os.WriteFile(path+".new", nil, 0o600), os.Rename(path+".new", path))
		}, "was replaced by another file, and 1 places in it are held"},
	} {
		t.Run(c.what, func(t *testing.T) {
			dir := t.TempDir()
			e := engine(t, dir, "host/web/1")
			first := claim(t, e, 0)
			waiting := make(chan error)
			go func() { waiting <- engine(t, dir, "host/web/2").Wait(t.Context(), "ids", lease.Only(0)) }()
			if err := c.harm(filepath.Join(dir, "ids.places")); err != nil {
				t.Fatal(err)
			}
			if _, err := e.Claim(t.Context(), "ids", 1); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("claimed in another file: %v", err)
			}
			if err := <-waiting; err != nil {
				t.Errorf("who waits finds the new file: %v", err)
			}
			if err := first.Release(t.Context()); err != nil {
				t.Fatal(err)
			}
			if next := claim(t, e, 0); next.Fence() <= first.Fence() {
				t.Errorf("fence %d in the new file, after %d", next.Fence(), first.Fence())
			}
		})
	}
}

// A claim can be adopted only by its own descriptor and with the fence that was given last.
func TestAdoptRefuses(t *testing.T) {
	dir := t.TempDir()
	e := engine(t, dir, "host/web/1")
	old := claim(t, e, 0)
	held := old.Saved()
	if err := old.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := claim(t, e, 0)
	for what, c := range map[string]struct {
		saved lease.Saved
		file  *os.File
		says  string
	}{
		"an earlier fence": {held, now.File(), "the claim was lost: its fence is"},
		"no descriptor":    {now.Saved(), nil, "without the descriptor"},
		"another file":     {now.Saved(), os.Stdin, "was replaced by another file"},
	} {
		if _, err := engine(t, dir, "next").Adopt(t.Context(), c.saved, c.file); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Directories and files that cannot do are refused with their reason.
func TestUnfitPlaces(t *testing.T) {
	open := filepath.Join(t.TempDir(), "open")
	if err := errors.Join(os.Mkdir(open, 0o700), os.Chmod(open, 0o777)); err != nil {
		t.Fatal(err)
	}
	for dir, says := range map[string]string{
		open:               "everybody may remove files in it",
		"/proc/self/lease": "cannot keep places in /proc/self/lease",
	} {
		if _, err := local.New(local.Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", dir, err)
		}
	}
	dir := t.TempDir()
	if err := errors.Join(
		os.WriteFile(filepath.Join(dir, "foreign.places"), []byte("something else\n"), 0o600),
		os.Symlink("/etc/passwd", filepath.Join(dir, "link.places")),
		os.Mkdir(filepath.Join(dir, "dir.places"), 0o700),
	); err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{
		"foreign": "it is something else, or of another version",
		"link":    "too many levels of symbolic links",
		"dir":     "is a directory",
	} {
		if _, err := engine(t, dir, "x").Claim(t.Context(), name, 0); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
