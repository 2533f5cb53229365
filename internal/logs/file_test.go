package logs

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/testhost"
)

func (h *house) openFile(t testing.TB, label string, set FileSettings) *Stream {
	t.Helper()
	s, err := h.Open(of(label), Settings{Mode: File, File: set, Backpressure: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// end flushes everything to the files.
func (h *house) end(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.Close(ctx); err != nil {
		t.Error(err)
	}
}

// all is what lies in a directory, oldest first, in plain text.
func all(t testing.TB, dir string) (text string, names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	// The file at hand has the shortest name, and is the youngest.
	slices.SortFunc(names, func(a, b string) int {
		if (len(a) < 10) != (len(b) < 10) {
			return len(b) - len(a)
		}
		return strings.Compare(strings.TrimSuffix(a, ".gz"), strings.TrimSuffix(b, ".gz"))
	})
	for _, name := range names {
		text += content(t, filepath.Join(dir, name))
	}
	return text, names
}

func content(t testing.TB, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Many writers of lines in two pieces, in one file that is rotated and opened again and again: each line is there once,
// whole, and in its writer's order.
func TestNoLineIsTornOrLost(t *testing.T) {
	const writers, count = 8, 4000
	for _, compress := range []bool{false, true} {
		t.Run(fmt.Sprint("compress ", compress), func(t *testing.T) {
			dir := t.TempDir()
			h := newHouse(t)
			path := filepath.Join(dir, "web.log")
			set := FileSettings{Stdout: path, Stderr: path, MaxSize: 64 << 10, Keep: 1000, Compress: compress}
			var wg sync.WaitGroup
			var streams []*Stream
			for w := range writers {
				s := h.openFile(t, fmt.Sprintf("web.%d", w), set)
				wg.Go(func() {
					for i := range count {
						line := fmt.Sprintf("writer %d line %d %s\n", w, i, strings.Repeat("x", i%97))
						say(t, s.Stdout(), line[:i%len(line)])
						say(t, s.Stdout(), line[i%len(line):])
						if i%500 == w {
							h.Reopen()
						}
					}
					s.Spawned(1)
				})
				streams = append(streams, s)
			}
			wg.Wait()
			for _, s := range streams {
				s.Close()
			}
			h.end(t)
			text, names := all(t, dir)
			if len(names) < 5 {
				t.Errorf("only %v", names)
			}
			next := map[int]int{}
			for line := range strings.Lines(text) {
				var w, i int
				var x string
				if n, _ := fmt.Sscanf(line, "writer %d line %d %s", &w, &i, &x); n < 2 || i != next[w] || len(x) != i%97 || strings.Trim(x, "x") != "" {
					t.Fatalf("after line %d of writer %d: %q", next[w], w, line)
				}
				next[w]++
			}
			for w := range writers {
				if next[w] != count {
					t.Errorf("writer %d: %d of %d lines", w, next[w], count)
				}
			}
			for _, name := range names {
				if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() > set.MaxSize {
					t.Errorf("%s: %v, %v", name, info, err)
				}
			}
		})
	}
}

func TestKeep(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "web.log")
	for _, other := range []string{"web.log.old", "web.log.20060102T150405Z-1", "web.logs.20060102T150405Z", "web.log.20060102T150405Z.gz.tmp"} {
		if err := os.WriteFile(filepath.Join(dir, other), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h := newHouse(t)
	s := h.openFile(t, "web.0", FileSettings{Stdout: path, Stderr: path, MaxSize: 4096, Keep: 2})
	for i := range 10 {
		say(t, s.Stdout(), strings.Repeat(fmt.Sprint(i), 3000)+"\n")
	}
	s.Close()
	h.end(t)
	h.janitor = janitor{}
	h.janitor.tidy(path, &FileSettings{MaxSize: 4096, Keep: 2}, &episode{}) // closing may have been faster than it
	h.janitor.busy.Wait()
	text, names := all(t, dir)
	if len(names) != 6 || slices.Contains(names, "web.log.20060102T150405Z.gz.tmp") || text != strings.Repeat("7", 3000)+"\n"+strings.Repeat("8", 3000)+"\n"+strings.Repeat("9", 3000)+"\n" {
		t.Errorf("%v, %d bytes", names, len(text))
	}
}

// Many programs write a line and its end one after the other. That is no reason for another file.
func TestHalfLinesDoNotRotate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "web.log")
	h := newHouse(t)
	s := h.openFile(t, "web.0", FileSettings{Stdout: path, Stderr: path, MaxSize: 1 << 20, Keep: 9})
	want := ""
	for i := range 9 {
		want += fmt.Sprintf("half %d", i)
		say(t, s.Stdout(), fmt.Sprintf("half %d", i))
		read := uint64(len(want))
		for h.Stats()[0].Bytes < read {
			runtime.Gosched()
		}
		want += "\n"
		say(t, s.Stdout(), "\n")
		await(t, path, want)
	}
	s.Close()
	h.end(t)
	if text, names := all(t, dir); text != want || len(names) != 1 {
		t.Errorf("%v, %q", names, text)
	}
}

// logrotate renames a file and sends a signal.
func TestReopen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "web.log")
	h := newHouse(t)
	s := h.openFile(t, "web.0", FileSettings{Stdout: path, Stderr: path})
	for i := range 3 {
		say(t, s.Stderr(), fmt.Sprintf("before %d\n", i))
		await(t, path, fmt.Sprintf("before %d\n", i))
		if err := os.Rename(path, fmt.Sprintf("%s.%d", path, i)); err != nil {
			t.Fatal(err)
		}
		say(t, s.Stderr(), "still\n")
		await(t, fmt.Sprintf("%s.%d", path, i), fmt.Sprintf("before %d\nstill\n", i))
		if n := h.Reopen(); n != 1 {
			t.Errorf("%d files", n)
		}
		await(t, path, "")
	}
}

// await waits until a file has a content.
func await(t testing.TB, path, want string) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		b, err := os.ReadFile(path)
		if err == nil && string(b) == want {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%s: %q, %v, want %q", path, b, err, want)
		case <-tick.C:
		}
	}
}

func TestRemovedDirectoryIsMadeAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	path := filepath.Join(dir, "web.log")
	h := newHouse(t)
	s := h.openFile(t, "web.0", FileSettings{Stdout: path, Stderr: path})
	say(t, s.Stdout(), "one\n")
	await(t, path, "one\n")
	if err := os.RemoveAll(filepath.Dir(dir)); err != nil {
		t.Fatal(err)
	}
	say(t, s.Stdout(), "two\n")
	await(t, path, "two\n")
	if h.Lost() != 0 {
		t.Errorf("%d bytes lost", h.Lost())
	}
}

// A symbolic link at the end of the path could be laid by whoever may write there.
func TestLinksAreNotFollowed(t *testing.T) {
	dir := t.TempDir()
	path, victim := filepath.Join(dir, "web.log"), filepath.Join(dir, "victim")
	if err := os.Symlink(victim, path); err != nil {
		t.Fatal(err)
	}
	reports := make(chan Trouble, 8)
	h := newHouse(t, func(o *Options) { o.Report = func(tr Trouble) { reports <- tr } })
	s := h.openFile(t, "web.0", FileSettings{Stdout: path, Stderr: path})
	say(t, s.Stdout(), "one\n")
	if tr := <-reports; tr.Err == nil || tr.Pool != "web" || tr.Where != path || tr.Over {
		t.Errorf("%+v", tr)
	}
	s.Close()
	h.end(t)
	if tr := <-reports; tr.Lines != 1 || tr.Bytes != 4 {
		t.Errorf("at the end: %+v", tr)
	}
	if _, err := os.Lstat(victim); err == nil {
		t.Error("the link was followed")
	}
}

// Files that are full cannot be renamed or removed: lines go on into the file at hand, and somebody is told.
func TestFullFilesThatStay(t *testing.T) {
	testhost.Need(t, testhost.Root)
	dir := t.TempDir()
	path, old := filepath.Join(dir, "web.log"), filepath.Join(dir, "web.log.20060102T150405Z")
	for _, held := range []string{path, old} { // nobody can rename or remove a mount point
		if err := os.WriteFile(held, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount(held, held, "", syscall.MS_BIND, ""); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(held, syscall.MNT_DETACH) })
	}
	reports := make(chan Trouble, 8)
	h := newHouse(t, func(o *Options) { o.Report = func(tr Trouble) { reports <- tr } })
	s := h.openFile(t, "web.0", FileSettings{Stdout: path, Stderr: path, MaxSize: 4096})
	want := strings.Repeat(strings.Repeat("r", 99)+"\n", 100)
	say(t, s.Stdout(), want)
	if tr := <-reports; !errors.Is(tr.Err, syscall.EBUSY) || !tr.Keeping || tr.Pool != "web" || tr.Over || tr.Lines != 0 {
		t.Errorf("%+v", tr)
	}
	s.Close()
	h.end(t)
	if got := content(t, path); got != want || h.Lost() != 0 {
		t.Errorf("%d bytes, %d lost", len(got), h.Lost())
	}
	if err := h.janitor.clean(path, FileSettings{MaxSize: 4096}); !errors.Is(err, syscall.EBUSY) || !strings.Contains(err.Error(), old) {
		t.Errorf("what cannot be removed: %v", err)
	}
}
