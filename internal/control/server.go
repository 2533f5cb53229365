package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// Supervisor is what the API steers; see supervisor.Supervisor.
type Supervisor interface {
	Snapshot() supervisor.Snapshot
	// Changed returns a channel that is closed when a snapshot newer than the current one is published, and until then
	// the same one.
	Changed() <-chan struct{}
	Do(ctx context.Context, req supervisor.Request) supervisor.Verdict
}

// Server answers on a socket until Close.
type Server struct {
	http     *http.Server
	watchers *watchers
	done     chan struct{}
}

// Serve answers requests from the socket, whose listener it closes in the end, of those who may write to it.
func Serve(socket *Socket, sup Supervisor) *Server {
	mux, watchers := http.NewServeMux(), newWatchers(sup)
	mux.HandleFunc("GET "+PathStatus, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, sup.Snapshot())
	})
	mux.Handle("GET "+PathWatch, watchers)
	for _, req := range requests() {
		mux.HandleFunc("POST "+PathVerb+string(req.verb), func(w http.ResponseWriter, r *http.Request) {
			do(w, r, sup, req)
		})
	}
	s := &Server{
		http: &http.Server{
			Handler:           guard(socket.path, mux),
			ConnContext:       identify,
			ReadTimeout:       10 * time.Second, // slow clients are cut
			ReadHeaderTimeout: 5 * time.Second,
			MaxHeaderBytes:    maxBody,
		},
		watchers: watchers,
		done:     make(chan struct{}),
	}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(socket) // ends with Close
	}()
	return s
}

// Close lets the answers that are under way be written, for a moment, ends the streams, and closes the socket.
func (s *Server) Close() {
	s.watchers.end()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close()
	}
	<-s.done
}

func do(w http.ResponseWriter, r *http.Request, sup Supervisor, what request) {
	body, err := readBody(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		err = what.check(body)
	}
	if err != nil {
		answer(w, http.StatusBadRequest, Result{Error: err.Error()})
		return
	}
	who := callerIn(r.Context())
	req := supervisor.Request{
		Verb: what.verb, Pool: body.Pool, Workers: body.Workers, Delta: body.Delta, Abort: body.Abort,
		UID: who.uid, PID: who.pid,
	}
	wait := time.Duration(body.Wait * float64(time.Second))
	ctx, cancel := context.WithTimeout(r.Context(), max(wait, promptly))
	defer cancel()
	v := sup.Do(ctx, req)
	switch {
	case errors.Is(v.Err, context.DeadlineExceeded) && wait == 0:
		answer(w, http.StatusAccepted, Result{Accepted: true, Text: string(what.verb) + " goes on"})
	case errors.Is(v.Err, context.DeadlineExceeded) && ctx.Err() != nil:
		answer(w, http.StatusGatewayTimeout, Result{Accepted: true, Error: v.Err.Error()})
	case v.Err != nil:
		answer(w, statusOf(v.Err), Result{Error: v.Err.Error(), Lines: v.Lines, Text: v.Text})
	default:
		answer(w, http.StatusOK, Result{Text: v.Text, Plan: v.Data})
	}
}

// promptly is how long a request may take whose client does not wait: long enough to tell a refusal.
const promptly = 200 * time.Millisecond

// readBody reads a request body. Nothing at all is an empty Body.
func readBody(r io.Reader) (Body, error) {
	var body Body
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&body); err != nil {
		if errors.Is(err, io.EOF) {
			return Body{}, nil
		}
		return Body{}, fmt.Errorf("cannot read request body: %w", err)
	}
	if dec.More() {
		return Body{}, errors.New("cannot read request body: more than one value")
	}
	if body.Wait < 0 || body.Wait > maxWait.Seconds() || math.IsNaN(body.Wait) {
		return Body{}, fmt.Errorf("cannot wait %v seconds: wait_seconds is from 0 to %v", body.Wait, maxWait.Seconds())
	}
	return body, nil
}

func statusOf(err error) int {
	switch {
	case errors.Is(err, supervisor.ErrNoPool):
		return http.StatusNotFound
	case errors.Is(err, supervisor.ErrStopped):
		return http.StatusServiceUnavailable
	case errors.Is(err, supervisor.ErrScale):
		return http.StatusUnprocessableEntity
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	default:
		return http.StatusConflict
	}
}

func answer(w http.ResponseWriter, code int, v any) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, b.String()) // a client that left needs no answer
}
