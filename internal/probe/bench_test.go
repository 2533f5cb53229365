package probe_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/probe"
)

// One attempt over the loopback. The other end is in this process as well: that of tcp and http does as little as it
// can, that of grpc is a server of net/http and most of what is measured.
func BenchmarkOnce(b *testing.B) {
	plain := answering(b, "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\":\"ok\"}")
	for _, kind := range []probe.Kind{probe.TCP, probe.HTTP, probe.GRPC} {
		b.Run(string(kind), func(b *testing.B) {
			c, w := probe.Config{Kind: kind, Timeout: time.Minute}, plain
			if kind == probe.GRPC {
				w = healthServer(b, call("00000000020801", "0", ""))
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Once(b.Context(), w); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What a runner costs between two attempts, when the first has let grow what grows.
func BenchmarkIdleRunners(b *testing.B) {
	const runners = 1000
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	w := dialTo("tcp", srv.Listener.Addr().String())
	c := probe.Config{Kind: probe.HTTP, Period: time.Hour, Timeout: time.Minute}
	for b.Loop() {
		before := inUse()
		ctx, cancel := context.WithCancel(b.Context())
		passing := make(chan struct{})
		var wg sync.WaitGroup
		for range runners {
			wg.Go(func() {
				probe.Run(ctx, c, w, func(o probe.Outcome) {
					if o.Err != nil {
						b.Error(o.Err)
					}
					passing <- struct{}{}
				})
			})
			<-passing
		}
		b.ReportMetric(float64(inUse()-before)/runners, "B/runner")
		cancel()
		wg.Wait()
	}
}

// inUse is the memory of the heap and the stacks after a collection, which is what shrinks stacks.
func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
