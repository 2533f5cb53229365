package poll

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newPoller(t *testing.T) *Poller {
	t.Helper()
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil && !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
	return p
}

func newPipe(t *testing.T) (r, w int) {
	t.Helper()
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Close(fds[0])
		_ = syscall.Close(fds[1])
	})
	return fds[0], fds[1]
}

func write(t *testing.T, fd int, s string) {
	t.Helper()
	if _, err := syscall.Write(fd, []byte(s)); err != nil {
		t.Fatal(err)
	}
}

func TestReadableUntilRead(t *testing.T) {
	p := newPoller(t)
	r, w := newPipe(t)
	got := make(chan string, 4)
	err := p.Add(r, func() {
		var b [1]byte // one byte a call: level triggered means three calls for "abc"
		if n, _ := syscall.Read(r, b[:]); n > 0 {
			got <- string(b[:n])
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, "abc")
	if s := <-got + <-got + <-got; s != "abc" {
		t.Fatalf("got %q", s)
	}
}

func TestHangUp(t *testing.T) {
	p := newPoller(t)
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fds[0])
	gone := make(chan struct{})
	err := p.Add(fds[0], func() {
		if err := p.Remove(fds[0]); err != nil {
			t.Error(err)
		}
		close(gone)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Close(fds[1]); err != nil {
		t.Fatal(err)
	}
	<-gone
}

func TestHangupAloneLeavesDataWaiting(t *testing.T) {
	p := newPoller(t)
	quiet, talk := newPipe(t)
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fds[0])
	heard := make(chan string, 4)
	err := p.AddHangup(fds[0], func() {
		_ = p.Remove(fds[0])
		var b [8]byte
		n, _ := syscall.Read(fds[0], b[:])
		heard <- string(b[:n])
	})
	if err != nil {
		t.Fatal(err)
	}
	marker := make(chan struct{})
	if err := p.Add(quiet, func() { _ = p.Remove(quiet); close(marker) }); err != nil {
		t.Fatal(err)
	}
	write(t, fds[1], "data")
	write(t, talk, "x") // later in the same poller: by then the data would have been told
	<-marker
	if len(heard) != 0 {
		t.Fatal("called for data alone")
	}
	if err := syscall.Close(fds[1]); err != nil {
		t.Fatal(err)
	}
	if s := <-heard; s != "data" {
		t.Fatalf("got %q", s)
	}
}

// The callback of one descriptor removes another that is ready in the same batch.
func TestRemoveWithinBatch(t *testing.T) {
	p := newPoller(t)
	gate, open := newPipe(t)
	r1, w1 := newPipe(t)
	r2, w2 := newPipe(t)
	fired := make(chan int, 2)
	release := make(chan struct{})
	entered := make(chan struct{})
	// The gate holds the poller until both descriptors are ready.
	if err := p.Add(gate, func() { _ = p.Remove(gate); close(entered); <-release }); err != nil {
		t.Fatal(err)
	}
	once := func(fd, other int) func() {
		return func() {
			_ = p.Remove(fd)
			_ = p.Remove(other)
			fired <- fd
		}
	}
	if err := errors.Join(p.Add(r1, once(r1, r2)), p.Add(r2, once(r2, r1))); err != nil {
		t.Fatal(err)
	}
	write(t, open, "x")
	<-entered
	write(t, w1, "x")
	write(t, w2, "x")
	close(release)
	<-fired
	if err := p.Close(); err != nil { // waits for whatever else was in the batch
		t.Fatal(err)
	}
	if len(fired) != 0 {
		t.Fatalf("descriptor %d was called after its removal", <-fired)
	}
}

func TestErrors(t *testing.T) {
	p := newPoller(t)
	r, _ := newPipe(t)
	if err := p.Add(-1, func() {}); !errors.Is(err, syscall.EBADF) {
		t.Errorf("bad descriptor: %v", err)
	}
	if err := p.Remove(r); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown descriptor: %v", err)
	}
	if err := p.Add(r, func() {}); err != nil {
		t.Fatal(err)
	}
	if err := p.Add(r, func() {}); !errors.Is(err, syscall.EEXIST) {
		t.Errorf("twice: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{"add": p.Add(r, func() {}), "remove": p.Remove(r), "close": p.Close()} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s after close: %v", what, err)
		}
	}
}

// A thousand descriptors added, fired and removed from many goroutines at once.
func TestManyConcurrently(t *testing.T) {
	p := newPoller(t)
	const many, lanes = 200, 5
	var fired, added sync.WaitGroup
	fired.Add(many * lanes)
	errs := make(chan error, many*lanes)
	for range lanes {
		added.Go(func() {
			for range many {
				var fds [2]int
				if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC); err != nil {
					errs <- fmt.Errorf("pipe: %w", err)
					fired.Done()
					continue
				}
				err := p.Add(fds[0], func() {
					if err := p.Remove(fds[0]); err != nil {
						errs <- err
					}
					_ = syscall.Close(fds[0])
					fired.Done()
				})
				if err != nil {
					errs <- err
					fired.Done()
				}
				_ = syscall.Close(fds[1])
			}
		})
	}
	added.Wait()
	fired.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
}

// While it is paused nobody is called, and nothing is forgotten.
func TestPause(t *testing.T) {
	p := newPoller(t)
	r, w := newPipe(t)
	var paused atomic.Bool
	got := make(chan struct{}, 1)
	err := p.Add(r, func() {
		if paused.Load() {
			t.Error("called in the pause")
		}
		var b [1]byte
		_, _ = syscall.Read(r, b[:])
		got <- struct{}{}
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		resume := p.Pause()
		paused.Store(true)
		write(t, w, "x")
		runtime.Gosched()
		paused.Store(false)
		resume()
		<-got
	}
}
