package self_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/broodctl/brood/worker/self"
)

func TestDumpBySignal(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	type dump struct {
		files []string
		err   error
	}
	dumps := make(chan dump, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	self.Dumper{Whole: true}.OnSignal(ctx, func(files []string, err error) { dumps <- dump{files, err} })
	if err := syscall.Kill(os.Getpid(), syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	d := <-dumps
	if d.err != nil || len(d.files) != 3 {
		t.Fatalf("got %v, %v", d.files, d.err)
	}
	for i, suffix := range []string{`\.heap\.pprof`, `\.goroutines\.pprof`, `\.heapdump`} {
		name := d.files[i]
		if ok := regexp.MustCompile(`^self\.test-\d+-\d{8}T\d{6}\.\d{3}Z` + suffix + `$`).MatchString(filepath.Base(name)); !ok || filepath.Dir(name) != dir {
			t.Errorf("wrote %s", name)
		}
		if info, err := os.Stat(name); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	wantProfile(t, d.files[0], "alloc_space")
	wantProfile(t, d.files[1], "goroutine")
	if b, err := os.ReadFile(d.files[2]); err != nil || !strings.HasPrefix(string(b), "go1.7 heap dump\n") {
		t.Errorf("the heap begins with %.20q, %v", b, err)
	}
	wantFiles(t, dir, d.files)
}

// wantProfile looks into a compressed profile for the name of what it counts.
func wantProfile(t *testing.T, path, what string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || !strings.Contains(string(b), what) {
		t.Errorf("%s does not count %s (%v)", path, what, err)
	}
}

// wantFiles demands that nothing else lies there.
func wantFiles(t *testing.T, dir string, want []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range entries {
		found = append(found, filepath.Join(dir, e.Name()))
	}
	slices.Sort(want)
	if !slices.Equal(found, want) {
		t.Errorf("there are %q, want %q", found, want)
	}
}

// Many at once, most of them in the same millisecond, and each has files of its own.
func TestDumpsNeverMeet(t *testing.T) {
	dir := t.TempDir()
	var (
		all []string
		mu  sync.Mutex
		wg  sync.WaitGroup
	)
	for range 20 {
		wg.Go(func() {
			files, err := self.Dumper{Dir: dir}.Write()
			mu.Lock()
			defer mu.Unlock()
			all = append(all, files...)
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(all) != 40 {
		t.Errorf("wrote %d files, want 40", len(all))
	}
	wantFiles(t, dir, all)
}

func TestDumpGoesWhereItCan(t *testing.T) {
	gone, home, tmp := filepath.Join(t.TempDir(), "gone"), t.TempDir(), t.TempDir()
	if err := os.Mkdir(gone, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(gone)
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", tmp)
	for _, tt := range []struct{ home, want string }{
		{home, home},
		{gone, tmp},
		{"", tmp},
		{"relative", tmp},
	} {
		t.Setenv("HOME", tt.home)
		files, err := self.Dumper{}.Write()
		if err != nil || len(files) != 2 || filepath.Dir(files[0]) != tt.want || filepath.Dir(files[1]) != tt.want {
			t.Errorf("HOME=%q: wrote %q, %v; want them in %s", tt.home, files, err, tt.want)
		}
	}
	files, err := self.Dumper{Dir: gone}.Write()
	if len(files) != 0 || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), ".goroutines.pprof: ") {
		t.Errorf("in no directory: %q, %v", files, err)
	}
}
