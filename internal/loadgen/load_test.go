package loadgen

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a server that treats each connection as told, until the test ends.
func serve(t *testing.T, handle func(n int, conn *net.TCPConn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	group.Go(func() {
		for n := 0; ; n++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer conn.Close()
				handle(n, conn.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		group.Wait()
	})
	return listener.Addr().String()
}

// request reads one request's head; false when the client is gone.
func request(r *bufio.Reader) bool {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return false
		}
		if line == "\r\n" {
			return true
		}
	}
}

func respond(text string) func(int, *net.TCPConn) {
	return func(_ int, conn *net.TCPConn) {
		if request(bufio.NewReader(conn)) {
			io.WriteString(conn, text)
		}
	}
}

// reset closes with an RST instead of a FIN.
func reset(conn *net.TCPConn) {
	conn.SetLinger(0)
	conn.Close()
}

const good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Worker: slot=1 id=7 pid=42 generation=3\r\n\r\nok"

func TestOutcomes(t *testing.T) {
	tests := []struct {
		name   string
		reuse  Reuse
		handle func(int, *net.TCPConn)
		want   Outcome
	}{
		{"good", PerRequest, respond(good), OK},
		{"body to the end of the connection", PerRequest, respond("HTTP/1.0 200 OK\r\n\r\nhello"), OK},
		{"chunked", PerRequest, respond("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), OK},
		{"interim first", PerRequest, respond("HTTP/1.1 103 Early Hints\r\n\r\n" + good), OK},
		{"no content", PerRequest, respond("HTTP/1.1 204 No Content\r\n\r\n"), OK},
		{"server error", PerRequest, respond("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), Status},
		{"closed without a byte", PerRequest, respond(""), Short},
		{"closed in the status line", PerRequest, respond("HTTP/1.1 20"), Short},
		{"closed in the headers", PerRequest, respond("HTTP/1.1 200 OK\r\nContent-Le"), Short},
		{"closed in the body", PerRequest, respond(good[:len(good)-1]), Short},
		{"closed in a chunk", PerRequest, respond("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok"), Short},
		{"closed before the last chunk", PerRequest, respond("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"), Short},
		{"reset without a byte", PerRequest, func(_ int, c *net.TCPConn) { request(bufio.NewReader(c)); reset(c) }, Reset},
		{"reset in the body", PerRequest, func(_ int, c *net.TCPConn) {
			request(bufio.NewReader(c))
			io.WriteString(c, good[:len(good)-1])
			reset(c)
		}, Reset},
		{"silent", PerRequest, func(_ int, c *net.TCPConn) { io.Copy(io.Discard, c) }, Late},
		{"stalled in the body", PerRequest, func(_ int, c *net.TCPConn) {
			io.WriteString(c, good[:len(good)-1])
			io.Copy(io.Discard, c)
		}, Late},
		{"not HTTP", PerRequest, respond("SSH-2.0-OpenSSH\r\n"), Other},
		{"a mad length", PerRequest, respond("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"), Other},
		{"a mad chunk", PerRequest, respond("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), Other},
		// On a fresh connection even a client that would keep it calls the loss a loss.
		{"first request of a kept connection", KeepAlive, respond(""), Short},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			result, err := Run(t.Context(), Config{
				Address: serve(t, test.handle), Reuse: test.reuse, Requests: 3, Timeout: 200 * time.Millisecond,
			})
			if err != nil {
				t.Fatal(err)
			}
			if result.Count(test.want) != 3 || result.Requests() != 3 {
				t.Errorf("want 3 %s:\n%s", test.want, &result)
			}
			if got := result.Failed(); (got == 3) != test.want.Failed() {
				t.Errorf("%d failed", got)
			}
		})
	}
}

// A failure tells the connection that it was on, and as many are told as asked for.
func TestFailuresTellTheirConnection(t *testing.T) {
	clients := make(chan string, 30)
	address := serve(t, func(_ int, conn *net.TCPConn) {
		request(bufio.NewReader(conn))
		clients <- conn.RemoteAddr().String()
	})
	result, err := Run(t.Context(), Config{Address: address, Requests: 30, Samples: 20})
	if err != nil || len(result.Samples) != 20 {
		t.Fatalf("%d are told, %v", len(result.Samples), err)
	}
	for _, sample := range result.Samples {
		if client := <-clients; sample.Local != client {
			t.Errorf("told %q, was %q", sample.Local, client)
		}
	}
}

func TestRefused(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	result, err := Run(t.Context(), Config{Address: address, Requests: 5})
	if err != nil {
		t.Fatal(err)
	}
	if result.Count(Refused) != 5 {
		t.Errorf("want 5 refused:\n%s", &result)
	}
}

// TestReused: the second request of a connection meets a close or a reset. The
// server closes only after it has read the request, so that the client cannot
// have noticed before.
func TestReused(t *testing.T) {
	for name, end := range map[string]func(*net.TCPConn){
		"closed": func(c *net.TCPConn) { c.Close() },
		"reset":  reset,
	} {
		t.Run(name, func(t *testing.T) {
			address := serve(t, func(_ int, conn *net.TCPConn) {
				reader := bufio.NewReader(conn)
				request(reader)
				io.WriteString(conn, good)
				request(reader)
				end(conn)
			})
			result, err := Run(t.Context(), Config{Address: address, Reuse: KeepAlive, Requests: 10})
			if err != nil {
				t.Fatal(err)
			}
			if result.OK() != 5 || result.Count(Reused) != 5 || result.Failed() != 0 {
				t.Errorf("want 5 ok and 5 reused:\n%s", &result)
			}
		})
	}
}

// TestReusedMidResponse: once a byte of the response has come it is no race.
func TestReusedMidResponse(t *testing.T) {
	address := serve(t, func(_ int, conn *net.TCPConn) {
		reader := bufio.NewReader(conn)
		request(reader)
		io.WriteString(conn, good)
		request(reader)
		io.WriteString(conn, good[:20])
	})
	result, err := Run(t.Context(), Config{Address: address, Reuse: KeepAlive, Requests: 2})
	if err != nil {
		t.Fatal(err)
	}
	if result.OK() != 1 || result.Count(Short) != 1 {
		t.Errorf("want one ok and one short:\n%s", &result)
	}
}

// TestIdleCloseIsNoticed: a connection closed while the client thought is not
// used again, as with the pool of any client.
func TestIdleCloseIsNoticed(t *testing.T) {
	address := serve(t, func(_ int, conn *net.TCPConn) {
		request(bufio.NewReader(conn))
		io.WriteString(conn, good)
	})
	result, err := Run(t.Context(), Config{Address: address, Reuse: KeepAlive, Requests: 3, Think: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if result.OK() != 3 {
		t.Errorf("want 3 ok:\n%s", &result)
	}
}

func TestPoliteCloseIsObeyed(t *testing.T) {
	address := serve(t, respond(strings.Replace(good, "X-Worker", "Connection: close\r\nX-Worker", 1)))
	result, err := Run(t.Context(), Config{Address: address, Reuse: KeepAlive, Requests: 5})
	if err != nil {
		t.Fatal(err)
	}
	if result.OK() != 5 {
		t.Errorf("want 5 ok:\n%s", &result)
	}
}

func TestWorkersAreCounted(t *testing.T) {
	address := serve(t, func(n int, conn *net.TCPConn) {
		request(bufio.NewReader(conn))
		if n%2 == 0 {
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nX-Worker: %s\r\nContent-Length: 0\r\n\r\n", Worker{0, 5, 100, 1})
			return
		}
		const body = `{"slot":1,"worker_id":6,"pid":101,"generation":2}`
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	})
	result, err := Run(t.Context(), Config{Address: address, Requests: 10})
	if err != nil {
		t.Fatal(err)
	}
	for name, sums := range map[string]map[int]int{
		"slots": result.Slots(), "pids": result.PIDs(), "generations": result.Generations(),
	} {
		if len(sums) != 2 {
			t.Errorf("%s: %v", name, sums)
		}
		for key, n := range sums {
			if n != 5 {
				t.Errorf("%s: %d came %d times", name, key, n)
			}
		}
	}
}

func handler(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestBounds(t *testing.T) {
	address := handler(t, func(http.ResponseWriter, *http.Request) {})
	t.Run("none", func(t *testing.T) {
		if _, err := Start(t.Context(), Config{Address: address}); !errors.Is(err, errUnbounded) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("count", func(t *testing.T) {
		for _, reuse := range []Reuse{PerRequest, KeepAlive} {
			result, err := Run(t.Context(), Config{Address: address, Clients: 8, Reuse: reuse, Requests: 100})
			if err != nil || result.OK() != 100 {
				t.Errorf("%v, want 100 ok:\n%s", err, &result)
			}
		}
	})
	t.Run("time", func(t *testing.T) {
		result, err := Run(t.Context(), Config{Address: address, Clients: 2, Duration: 50 * time.Millisecond})
		if err != nil || result.OK() == 0 || result.Elapsed < 50*time.Millisecond || result.Failed() != 0 {
			t.Errorf("%v:\n%s", err, &result)
		}
	})
	t.Run("stop after a number of answers", func(t *testing.T) {
		load, err := Start(t.Context(), Config{Address: address, Clients: 2, Duration: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if err := load.Await(t.Context(), 20); err != nil {
			t.Error(err)
		}
		if result := load.Stop(); result.OK() < 20 || result.Failed()+result.Count(Aborted) != 0 {
			t.Errorf("want at least 20 ok:\n%s", &result)
		}
		if err := load.Await(t.Context(), 1); !errors.Is(err, ErrEnded) {
			t.Errorf("Await after the end: %v", err)
		}
	})
	t.Run("context", func(t *testing.T) {
		arrived := make(chan struct{}, 4)
		stuck := serve(t, func(_ int, conn *net.TCPConn) {
			request(bufio.NewReader(conn))
			arrived <- struct{}{}
			io.Copy(io.Discard, conn)
		})
		ctx, cancel := context.WithCancel(t.Context())
		load, err := Start(ctx, Config{Address: stuck, Clients: 3, Duration: time.Minute, Timeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			<-arrived
		}
		cancel()
		if result := load.Wait(); result.Count(Aborted) != 3 || result.Failed() != 0 {
			t.Errorf("want 3 aborted:\n%s", &result)
		}
	})
}

func TestOpenLoop(t *testing.T) {
	t.Run("sends what is due", func(t *testing.T) {
		address := handler(t, func(http.ResponseWriter, *http.Request) {})
		result, err := Run(t.Context(), Config{Address: address, Rate: 1000, Requests: 100, Reuse: KeepAlive})
		if err != nil || result.OK() != 100 || result.Elapsed < 99*time.Millisecond {
			t.Errorf("%v:\n%s", err, &result)
		}
	})
	t.Run("a stall is part of the latency of those who waited", func(t *testing.T) {
		first := make(chan struct{}, 1)
		first <- struct{}{}
		address := handler(t, func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-first:
				stall, cancel := context.WithTimeout(r.Context(), 200*time.Millisecond)
				defer cancel()
				<-stall.Done()
			default:
			}
		})
		result, err := Run(t.Context(), Config{Address: address, Rate: 100, Clients: 1, Requests: 4})
		if err != nil || result.OK() != 4 {
			t.Fatalf("%v:\n%s", err, &result)
		}
		// The fourth was due 30 ms after the first and could start after 200.
		if got := result.Latency.Quantile(0.01); got < 150*time.Millisecond {
			t.Errorf("the shortest latency is %s", got)
		}
	})
	t.Run("what finds no client is missed", func(t *testing.T) {
		stuck := serve(t, func(_ int, conn *net.TCPConn) { io.Copy(io.Discard, conn) })
		result, err := Run(t.Context(), Config{
			Address: stuck, Rate: 10000, Clients: 1, Requests: 50, Timeout: 100 * time.Millisecond,
		})
		if err != nil || result.Count(Missed) == 0 || result.Count(Missed)+result.Requests() != 50-result.Count(Aborted) {
			t.Errorf("%v:\n%s", err, &result)
		}
	})
}

func TestHistogram(t *testing.T) {
	var h Histogram
	if h.Quantile(0.5) != 0 || h.Mean() != 0 {
		t.Error("an empty histogram is not zero")
	}
	for i := 1; i <= 1000; i++ {
		h.add(time.Duration(i) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0.5: 501, 0.9: 901, 0.99: 991, 1: 1000} {
		want *= time.Millisecond
		got := h.Quantile(q)
		if got < want || float64(got) > 1.04*float64(want) {
			t.Errorf("quantile %v: %s, want %s", q, got, want)
		}
	}
	if h.Max() != time.Second || h.Count() != 1000 {
		t.Errorf("max %s of %d", h.Max(), h.Count())
	}
	for _, d := range []time.Duration{0, 1, 31, 32, 33, 63, 64, 1000, 1 << 40, 1<<63 - 1} {
		if up := upper(bucket(d)); up < d || float64(up) > 1.04*float64(d)+1 {
			t.Errorf("%d is in the bucket up to %d", d, up)
		}
	}
}

func TestParseWorker(t *testing.T) {
	whole := Worker{Slot: 1, ID: 2, PID: 3, Generation: 4}
	for text, want := range map[string]Worker{
		whole.String():               whole,
		"":                           nobody,
		"pid=9":                      {-1, -1, 9, -1},
		"generation=2 slot=1 what=5": {1, -1, -1, 2},
		"slot=x pid":                 nobody,
	} {
		if got := ParseWorker(text); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}
