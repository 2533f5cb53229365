package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/poll"
)

// BenchmarkThroughput passes lines of 100 bytes through one worker's stderr to
// a pipe that is read as fast as possible. "cat" is the floor: the same bytes
// through the same two pipes with cat(1) between them.
func BenchmarkThroughput(b *testing.B) {
	block := bytes.Repeat(append(bytes.Repeat([]byte("x"), 99), '\n'), 600)
	for name, mode := range map[string]Mode{"tail": Tail, "prefix": Prefix} {
		b.Run(name, func(b *testing.B) {
			p, err := poll.New()
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			r, w := osPipe(b)
			m := New(Options{Poller: p, Stdout: int(w.Fd()), Stderr: int(w.Fd())})
			s, err := m.Open(Worker{Pool: "web", Slot: 0}, Settings{Mode: mode, Backpressure: true})
			if err != nil {
				b.Fatal(err)
			}
			pass(b, s.Stderr(), r, block, func() {
				s.Close()
				if err := m.Close(context.Background()); err != nil {
					b.Error(err)
				}
				_ = w.Close()
			})
			if m.Lost() != 0 {
				b.Errorf("%d bytes lost", m.Lost())
			}
		})
	}
	b.Run("cat", func(b *testing.B) {
		fromUs, toCat := osPipe(b)
		fromCat, ours := osPipe(b)
		cat := exec.Command("cat")
		cat.Stdin, cat.Stdout = fromUs, ours
		if err := cat.Start(); err != nil {
			b.Fatal(err)
		}
		_ = fromUs.Close()
		_ = ours.Close()
		fd := int(toCat.Fd())
		pass(b, fd, fromCat, block, func() { _ = toCat.Close() })
		if err := cat.Wait(); err != nil {
			b.Error(err)
		}
	})
}

// pass writes b.N blocks to the descriptor, closes, and waits for the reader's EOF.
func pass(b *testing.B, to int, from *os.File, block []byte, finish func()) {
	b.Helper()
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(struct{ io.Writer }{io.Discard}, from)
	}()
	b.SetBytes(int64(len(block)))
	b.ResetTimer()
	for range b.N {
		for rest := block; len(rest) > 0; {
			n, err := syscall.Write(to, rest)
			if err != nil {
				b.Fatal(err)
			}
			rest = rest[n:]
		}
	}
	finish()
	<-read
}

// BenchmarkToFile passes lines of 100 bytes through one worker's stdout into a file. "cat" is the floor. Nothing is lost,
// because the worker waits, as it does for cat.
func BenchmarkToFile(b *testing.B) {
	text := bytes.Repeat(append(bytes.Repeat([]byte("x"), 99), '\n'), 1200)
	objects := bytes.Repeat(append([]byte(`{"level":"info","msg":"`+strings.Repeat("x", 74)+`"}`), '\n'), 1200)
	for _, bb := range []struct {
		name  string
		set   Settings
		block []byte
	}{
		{"tail", Settings{Mode: Tail}, text},
		{"prefix", Settings{Mode: Prefix}, text},
		{"json", Settings{Mode: JSON}, text},
		{"json objects", Settings{Mode: JSON}, objects},
		{"file", Settings{Mode: File}, text},
	} {
		b.Run(bb.name, func(b *testing.B) {
			p, err := poll.New()
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			path := filepath.Join(b.TempDir(), "log")
			out, err := os.Create(path)
			if err != nil {
				b.Fatal(err)
			}
			defer out.Close()
			bb.set.Backpressure = true
			bb.set.File = FileSettings{Stdout: path, Stderr: path}
			m := New(Options{Poller: p, Stdout: int(out.Fd()), Stderr: 2})
			s, err := m.Open(Worker{Pool: "web"}, bb.set)
			if err != nil {
				b.Fatal(err)
			}
			pour(b, s.Stdout(), bb.block, func() {
				s.Spawned(1)
				for m.Stats()[0].Bytes < uint64(b.N)*uint64(len(bb.block)) {
					runtime.Gosched()
				}
				s.Close()
				if err := m.Close(context.Background()); err != nil || m.Lost() != 0 {
					b.Error(err, m.Lost())
				}
			})
		})
	}
	b.Run("cat", func(b *testing.B) {
		out, err := os.Create(filepath.Join(b.TempDir(), "log"))
		if err != nil {
			b.Fatal(err)
		}
		defer out.Close()
		fromUs, toCat := osPipe(b)
		cat := exec.Command("cat")
		cat.Stdin, cat.Stdout = fromUs, out
		if err := cat.Start(); err != nil {
			b.Fatal(err)
		}
		pour(b, int(toCat.Fd()), text, func() {
			_ = toCat.Close()
			if err := cat.Wait(); err != nil {
				b.Error(err)
			}
		})
	})
}

// pour writes b.N blocks, and reports lines.
func pour(b *testing.B, to int, block []byte, finish func()) {
	b.Helper()
	b.SetBytes(int64(len(block)))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		for rest := block; len(rest) > 0; {
			n, err := syscall.Write(to, rest)
			if err != nil {
				b.Fatal(err)
			}
			rest = rest[n:]
		}
	}
	finish()
	b.StopTimer()
	b.ReportMetric(float64(b.N*bytes.Count(block, newline))/b.Elapsed().Seconds()/1e6, "Mlines/s")
}

// BenchmarkIdleStream reports what a worker costs that writes nothing.
func BenchmarkIdleStream(b *testing.B) {
	p, err := poll.New()
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	m := New(Options{Poller: p, Stdout: 1, Stderr: 2})
	b.ReportAllocs()
	for range b.N {
		s, err := m.Open(Worker{Pool: "web", Slot: 0}, Settings{Mode: Tail})
		if err != nil {
			b.Fatal(err)
		}
		s.Spawned(1)
		s.Close()
	}
	if err := m.Close(context.Background()); err != nil {
		b.Error(err)
	}
}

// BenchmarkHandOn reports how long a thousand workers that have all written a lot are not read while the program is replaced, and
// what that program gets.
func BenchmarkHandOn(b *testing.B) {
	const workers = 1000
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	p, err := poll.New()
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	opt := Options{Poller: p, Stdout: int(null.Fd()), Stderr: int(null.Fd())}
	m := New(opt)
	text := []byte(strings.Repeat(strings.Repeat("h", 99)+"\n", 10))
	streams := make([]*Stream, workers)
	for i := range streams {
		s, err := m.Open(Worker{Pool: "web", Slot: i, ID: i}, Settings{Mode: Prefix})
		if err != nil {
			b.Fatal(err)
		}
		s.Spawned(i + 1)
		for range 80 {
			s.out.mu.Lock()
			s.out.pass(text, time.Now().UnixNano())
			s.out.mu.Unlock()
		}
		streams[i] = s
	}
	var jsonSize, blobSize int
	b.ResetTimer()
	for range b.N {
		h, err := m.Freeze(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		encoded, err := json.Marshal(h)
		if err != nil {
			b.Fatal(err)
		}
		next := &Handed{Blob: h.Blob}
		jsonSize, blobSize = len(encoded), len(h.Blob)
		if err := json.Unmarshal(encoded, next); err != nil {
			b.Fatal(err)
		}
		house := &house{Mux: m}
		house.forgetDescriptors()
		if m, err = Restore(opt, next); err != nil {
			b.Fatal(err)
		}
		for i, s := range streams {
			if streams[i], err = m.Adopt(s.Handle(), Worker{Pool: "web", Slot: i, ID: i}); err != nil {
				b.Fatal(err)
			}
		}
		m.Settle()
	}
	b.StopTimer()
	b.ReportMetric(float64(jsonSize), "B-json")
	b.ReportMetric(float64(blobSize), "B-blob")
	for _, s := range streams {
		s.Close()
	}
	if err := m.Close(context.Background()); err != nil {
		b.Error(err)
	}
}
