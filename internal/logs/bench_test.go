package logs

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"

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
			s, err := m.Open(Worker{Pool: "web", Slot: 0}, Settings{Mode: mode})
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
