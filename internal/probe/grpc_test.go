package probe_test

import (
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/probe"
)

// healthServer answers health calls over HTTP/2 without TLS, as the servers of gRPC do.
func healthServer(t testing.TB, answer http.HandlerFunc) probe.World {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	srv := &http.Server{Handler: answer, Protocols: protocols, ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l)
	}()
	t.Cleanup(func() {
		srv.Close()
		<-done
	})
	return dialTo("tcp", l.Addr().String())
}

// call answers with a message, given in hex, and a status of gRPC after it.
func call(message, status, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/grpc")
		b, err := hex.DecodeString(message)
		if err != nil {
			panic(err)
		}
		if len(b) > 0 {
			_, _ = w.Write(b)
		}
		prefix := http.TrailerPrefix
		if len(b) == 0 {
			prefix = "" // an error is header alone
		}
		w.Header().Set(prefix+"Grpc-Status", status)
		w.Header().Set(prefix+"Grpc-Message", text)
	}
}

func TestGRPC(t *testing.T) {
	tests := []struct {
		name    string
		service string
		answer  http.HandlerFunc
		want    string
	}{
		{"serving", "", call("00000000020801", "0", ""), ""},
		{"serving, with fields of later", "", call("000000000e"+"1a0161"+"2900000000000000"+"00"+"0801", "0", ""), ""},
		{"not serving", "a.B", call("00000000020802", "0", ""), `service "a.B" is NOT_SERVING`},
		{"server not serving", "", call("00000000020802", "0", ""), "server is NOT_SERVING"},
		{"unknown", "", call("0000000000", "0", ""), "server is UNKNOWN"},
		{"service unknown", "x", call("00000000020803", "0", ""), `service "x" is SERVICE_UNKNOWN`},
		{"a status of later", "", call("0000000002082a", "0", ""), "server is in status 42"},
		{"service not found", "x", call("", "5", "unknown service"), `service "x" is unknown to the worker`},
		{"not implemented", "", call("", "12", ""), "the worker has no health service of gRPC"},
		{"denied", "", call("", "7", "go%20away"), `health call ended with gRPC status 7: "go away"`},
		{"late failure", "", call("00000000020801", "14", "leaving"), `health call ended with gRPC status 14: "leaving"`},
		{"no status", "", call("00000000020801", "", ""), "answer without a status of gRPC"},
		{"no message", "", call("", "0", ""), "answer is no message of the health service"},
		{"compressed", "", call("01000000020801", "0", ""), "answer is no message of the health service"},
		{"no gRPC", "", http.NotFound, "status 404 instead of an answer in gRPC"},
		{"breaks off", "", func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "answer in gRPC broke off: stream error"},
		{"hangs", "", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "no answer within 300ms"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := probe.Config{Kind: probe.GRPC, Service: tt.service, Timeout: 20 * time.Second}
			if tt.name == "hangs" {
				c.Timeout = 300 * time.Millisecond
			}
			expect(t, tt.name, tt.want, c.Once(t.Context(), healthServer(t, tt.answer)))
		})
	}
}

func TestGRPCRequest(t *testing.T) {
	var got string
	w := healthServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = fmt.Sprintf("%s %s %s %s %s %s %s %x", r.Proto, r.Method, r.URL.Path, r.Host, r.Header.Get("Content-Type"), r.Header.Get("Te"), r.UserAgent(), body)
		call("00000000020801", "0", "")(w, r)
	})
	c := probe.Config{Kind: probe.GRPC, Service: "a.B", Host: "example.org", Timeout: 20 * time.Second}
	if err := c.Once(t.Context(), w); err != nil {
		t.Error(err)
	}
	want := "HTTP/2.0 POST /grpc.health.v1.Health/Check example.org application/grpc trailers brood-probe 00000000050a03612e42"
	if got != want {
		t.Errorf("got %s, not %s", got, want)
	}
}

// A server of HTTP/1 alone cannot read the question.
func TestGRPCWithoutHTTP2(t *testing.T) {
	c := probe.Config{Kind: probe.GRPC, Timeout: 20 * time.Second}
	expect(t, "HTTP/1", "no answer in gRPC", c.Once(t.Context(), answering(t, "HTTP/1.1 400 Bad Request\r\n\r\n")))
}
