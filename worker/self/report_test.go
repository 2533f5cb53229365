package self_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/worker/handshake"
	"github.com/broodctl/brood/worker/self"
)

// supervisor is the socket of one, and reads what has come without waiting.
type supervisor struct{ fd int }

func supervise(t testing.TB) supervisor {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	path := t.TempDir() + "/notify"
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	t.Setenv(handshake.EnvNotifySocket, path)
	return supervisor{fd}
}

func (s supervisor) heard(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	buf := make([]byte, handshake.MaxMessage)
	for {
		n, err := syscall.Read(s.fd, buf)
		if err != nil {
			break // EAGAIN: that was all
		}
		got = append(got, string(buf[:n]))
	}
	if len(got) != len(want) {
		t.Fatalf("heard %q, want %q", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("heard %q, want %q", got, want)
		}
	}
}

// pass lets virtual time go by, and what it sets off come to rest.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestWatchdogBeats(t *testing.T) {
	s := supervise(t)
	t.Setenv(handshake.EnvWatchdogUsec, "20000000")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var works atomic.Bool
		works.Store(true)
		var ended sync.WaitGroup
		ended.Go(func() { self.Watchdog(ctx, works.Load) })
		synctest.Wait()
		s.heard(t, "WATCHDOG=1")
		pass(31 * time.Second)
		s.heard(t, "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1")
		works.Store(false)
		pass(time.Minute)
		s.heard(t)
		works.Store(true)
		pass(10 * time.Second)
		s.heard(t, "WATCHDOG=1")
		cancel()
		ended.Wait()
	})
}

func TestNoWatchdog(t *testing.T) {
	s := supervise(t)
	self.Watchdog(t.Context(), nil) // returns: nobody wants to hear it
	t.Setenv(handshake.EnvWatchdogUsec, "20000000")
	t.Setenv(handshake.EnvWatchdogPID, "1")
	self.Watchdog(t.Context(), nil)
	s.heard(t)
}

func TestCountRequests(t *testing.T) {
	s := supervise(t)
	synctest.Test(t, func(t *testing.T) {
		h := self.CountRequests(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/abort" {
				panic(http.ErrAbortHandler)
			}
		}))
		request := func(path string) {
			defer func() { _ = recover() }()
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
		}
		pass(time.Hour)
		s.heard(t) // nothing to tell
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { request("/") })
		}
		all.Wait()
		s.heard(t)
		pass(time.Second)
		s.heard(t, "BROOD_REQUESTS=100")
		request("/abort")
		pass(time.Hour)
		s.heard(t, "BROOD_REQUESTS=101")
		for range 30 { // a datagram a second, each with the 11 of that second
			request("/")
			pass(95 * time.Millisecond)
		}
		pass(time.Hour)
		s.heard(t, "BROOD_REQUESTS=112", "BROOD_REQUESTS=123", "BROOD_REQUESTS=131")
	})
}

func TestCountRequestsForNobody(t *testing.T) {
	t.Setenv(handshake.EnvNotifySocket, "")
	mux := http.NewServeMux()
	if self.CountRequests(mux) != http.Handler(mux) {
		t.Error("it is counted for nobody")
	}
}

// What a request costs more.
func BenchmarkCountRequests(b *testing.B) {
	work := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for _, supervised := range []bool{false, true} {
		name := "alone"
		if supervised {
			name = "supervised"
			supervise(b)
		} else {
			b.Setenv(handshake.EnvNotifySocket, "")
		}
		h := self.CountRequests(work)
		b.Run(name, func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					h.ServeHTTP(nil, nil)
				}
			})
		})
	}
}
