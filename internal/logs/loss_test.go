package logs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/broodctl/brood/internal/testhost"
)

// Nobody reads, and the worker writes on. What arrives in the end is whole lines, and with what is counted as lost it is all.
func TestNobodyWaits(t *testing.T) {
	const count = 200_000
	for _, mode := range []Mode{Tail, Prefix, JSON} {
		t.Run(mode.String(), func(t *testing.T) {
			reports := make(chan Trouble, 8)
			h := newHouse(t, func(o *Options) { o.Report = func(tr Trouble) { reports <- tr } })
			s := h.open(t, "web.0", mode)
			line := strings.Repeat("y", 79) + "\n"
			say(t, s.Stdout(), line[:40]) // a line that has begun
			say(t, s.Stdout(), line[40:])
			for range (count - 1) / 7 {
				say(t, s.Stdout(), strings.Repeat(line, 7)[:7*80-30])
				say(t, s.Stdout(), line[50:])
			}
			if tr := <-reports; tr.Err != nil || tr.Where != "stdout" || tr.Lines == 0 || tr.Bytes < tr.Lines {
				t.Errorf("%+v", tr)
			}
			s.Spawned(1)
			s.Close()
			stdout, _ := h.finish(t)
			stat := h.Stats()[0]
			want := fmt.Sprint(map[Mode]string{Prefix: "web.0 | "}[mode], line)
			arrived := uint64(0)
			for got := range strings.Lines(stdout) {
				if arrived++; mode != JSON && got != want || mode == JSON && !strings.HasSuffix(got, `"message":"`+strings.TrimSpace(line)+"\"}\n") {
					t.Fatalf("line %d is %q", arrived, got)
				}
			}
			if stat.Lines != (count-1)/7*7+1 || arrived+stat.LostLines != stat.Lines || stat.LostLines == 0 {
				t.Errorf("%d arrived, %+v", arrived, stat)
			}
		})
	}
}

// A disk that is full costs what does not fit the queue; no line is torn, and what waited arrives when there is room.
func TestFullDisk(t *testing.T) {
	testhost.Need(t, testhost.Root)
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 1<<19), 0o600); err != nil {
		t.Fatal(err)
	}
	reports := make(chan Trouble, 8)
	h := newHouse(t, func(o *Options) { o.Report = func(tr Trouble) { reports <- tr } })
	path := filepath.Join(dir, "web.log")
	s, err := h.Open(of("web.0"), Settings{Mode: File, File: FileSettings{Stdout: path, Stderr: path}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	line := func(i int) string { return fmt.Sprintf("%06d %s\n", i, strings.Repeat("z", 92)) }
	const count = 100_000 // 10 MB
	for i := range count {
		say(t, s.Stdout(), line(i))
	}
	if tr := <-reports; !errors.Is(tr.Err, syscall.ENOSPC) || tr.Where != path || tr.Pool != "web" {
		t.Errorf("%+v", tr)
	}
	if text := content(t, path); !strings.HasSuffix(text, "\n") || len(text)%100 != 0 || !strings.HasPrefix(text, line(0)) {
		t.Errorf("%d bytes, which end with %q", len(text), text[max(0, len(text)-120):])
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	s.Spawned(1)
	s.Close()
	h.end(t)
	stat, arrived, before := h.Stats()[0], uint64(0), -1
	for got := range strings.Lines(content(t, path)) {
		var i int
		if _, err := fmt.Sscanf(got, "%d ", &i); err != nil || i <= before || got != line(i) {
			t.Fatalf("after %d: %q", before, got)
		}
		before = i
		arrived++
	}
	if stat.Lines != count || arrived+stat.LostLines != count || stat.LostLines == 0 || arrived < hardLimit/100 {
		t.Errorf("%d arrived, %+v", arrived, stat)
	}
}

// A log on a disk that was full goes on with a line of its own.
func TestFullDiskBehindStdout(t *testing.T) {
	testhost.Need(t, testhost.Root)
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	path := filepath.Join(dir, "out")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	h := newHouse(t, func(o *Options) { o.Stdout = int(out.Fd()) })
	s := h.open(t, "web.0", Prefix)
	line := strings.Repeat("u", 90) + "\n"
	say(t, s.Stdout(), strings.Repeat(line, 500))
	for h.Lost() == 0 {
		runtime.Gosched()
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=1m"); err != nil {
		t.Fatal(err)
	}
	say(t, s.Stdout(), strings.Repeat(line, 3))
	s.Spawned(1)
	s.Close()
	h.end(t)
	torn, arrived := 0, uint64(0)
	for got := range strings.Lines(content(t, path)) {
		switch got {
		case "web.0 | " + line:
			arrived++
		default:
			torn++
		}
	}
	if stat := h.Stats()[0]; torn != 1 || arrived+stat.LostLines != stat.Lines || arrived < 16<<10/100+3 {
		t.Errorf("%d arrived, %d torn, %+v", arrived, torn, stat)
	}
}

// A line of our own log finds room where workers have none left.
func TestOwnLogHasRoom(t *testing.T) {
	h := newHouse(t)
	s := h.open(t, "web.0", Prefix)
	for range 2 * hardLimit / chunkSize {
		say(t, s.Stderr(), strings.Repeat(strings.Repeat("w", 1023)+"\n", 64))
	}
	if _, err := h.Log().Write([]byte("worker died\n")); err != nil {
		t.Error(err)
	}
	s.Spawned(1)
	s.Close()
	if _, stderr := h.finish(t); !strings.Contains(stderr, "\nworker died\n") || h.Stats()[0].LostLines == 0 {
		t.Error("the log was lost, or nothing was")
	}
}

func TestBufferKnowsWhoseItIs(t *testing.T) {
	a, b := &source{}, &source{}
	var buf buffer
	for _, s := range []struct {
		of   *source
		text string
	}{{a, "1\n2\n"}, {a, "3\n"}, {b, "4\n"}, {nil, "log\n"}, {a, "5\n"}} {
		buf.fill(s.of, func(dst []byte) []byte { return append(dst, s.text...) })
	}
	lost := buf.lost(2, func(part []byte) int { return bytes.Count(part, newline) })
	if lost != (tally{lines: 5, bytes: 12, own: 4}) || a.dropped[0].Load() != 3 || a.dropped[1].Load() != 6 || b.dropped[0].Load() != 1 || len(buf.shares) != 4 {
		t.Errorf("%+v, %d, %d, %d shares", lost, a.dropped[0].Load(), b.dropped[0].Load(), len(buf.shares))
	}
}
