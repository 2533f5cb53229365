package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/broodctl/brood/internal/logs"
)

// Logs is what workers have written; see logs.Mux.
type Logs interface {
	Kept(f logs.Filter) iter.Seq[logs.Line]
	Follow(ctx context.Context, f logs.Filter) iter.Seq[logs.Line]
}

// LogLine is one line of a worker's output. Bytes that are no UTF-8 are replaced by U+FFFD.
type LogLine struct {
	Time     time.Time `json:"time"`
	Pool     string    `json:"pool"`
	Slot     *int      `json:"slot,omitempty"` // nil for one of a command that has none
	WorkerID int       `json:"worker_id"`
	PID      int       `json:"pid"`
	Stream   string    `json:"stream"` // stdout, stderr
	Text     string    `json:"text"`
	Missed   uint64    `json:"missed,omitempty"` // lines of the same worker before this one
}

const (
	// mostLogReaders is how many may read at once, and as many for root; see places. Of a thousand workers each has some
	// megabytes in hand.
	mostLogReaders = 16
	// logsAhead is how many lines may wait while a piece is sent; what comes then waits where it is kept.
	logsAhead = 256
	// logsPiece is how many bytes are collected before they are sent, while more come.
	logsPiece = 32 << 10
)

// logs streams the output of workers, one object per line, and with follow goes on.
func (a *api) logs(w http.ResponseWriter, r *http.Request) {
	if a.sources.Logs == nil {
		refuse(w, http.StatusNotFound, CodeNotFound, "nobody keeps what workers write")
		return
	}
	filter, follow, err := readLogFilter(r.URL.Query(), time.Now())
	if err != nil {
		refuse(w, http.StatusBadRequest, CodeBadRequest, err.Error())
		return
	}
	if snap := a.sup.Published(); filter.Pool != "" && poolOf(snap, filter.Pool) == nil {
		refuse(w, http.StatusNotFound, CodeNoPool, noPool(snap, filter.Pool))
		return
	}
	place := a.logReaders.of(callerIn(r.Context()))
	select {
	case place <- struct{}{}:
		defer func() { <-place }()
	default:
		refuse(w, http.StatusTooManyRequests, CodeTooMany, fmt.Sprintf("%d others read logs already", mostLogReaders))
		return
	}
	over := a.streams.over()
	rc := a.streams.begin(w, "application/x-ndjson")
	defer a.streams.leave(rc)
	out := &logStream{streams: a.streams, over: over, w: w, rc: rc}
	if follow {
		out.follow(r.Context(), a.sources.Logs, filter)
		return
	}
	for line := range a.sources.Logs.Kept(filter) {
		if out.add(line) != nil {
			return
		}
	}
	_ = out.send()
}

// readLogFilter reads which lines are asked for.
func readLogFilter(query url.Values, now time.Time) (f logs.Filter, follow bool, err error) {
	for name, values := range query {
		if len(values) > 1 {
			return f, false, fmt.Errorf("cannot read query: %s is there %d times", name, len(values))
		}
	}
	f.Pool = query.Get("pool")
	if word := query.Get("slot"); word != "" {
		slot, err := strconv.Atoi(word)
		if err != nil || slot < 0 {
			return f, false, fmt.Errorf("cannot read slot %q: it is a number from 0", word)
		}
		f.Slot = &slot
	}
	switch f.Stream = query.Get("stream"); f.Stream {
	case "", "stdout", "stderr":
	default:
		return f, false, fmt.Errorf("cannot read stream %q: it is stdout or stderr", f.Stream)
	}
	if word := query.Get("lines"); word != "" {
		if f.Last, err = strconv.Atoi(word); err != nil || f.Last < 1 {
			return f, false, fmt.Errorf("cannot read lines %q: it is a number from 1", word)
		}
	}
	if word := query.Get("since"); word != "" {
		if f.Since, err = readSince(word, now); err != nil {
			return f, false, err
		}
	}
	if word := query.Get("follow"); word != "" {
		if follow, err = strconv.ParseBool(word); err != nil {
			return f, false, fmt.Errorf("cannot read follow %q: it is true or false", word)
		}
	}
	return f, follow, nil
}

var errSince = errors.New("it is a time such as 2026-03-01T09:00:00Z, or how long ago, such as 10m")

// readSince reads a point in time, or how long ago it was.
func readSince(word string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, word); err == nil {
		return at, nil
	}
	ago, err := time.ParseDuration(word)
	if err != nil || ago < 0 {
		return time.Time{}, fmt.Errorf("cannot read since %q: %w", word, errSince)
	}
	return now.Add(-ago), nil
}

// logStream is what one client reads.
type logStream struct {
	streams *streams
	over    <-chan struct{} // closed when it has to end
	w       http.ResponseWriter
	rc      *http.ResponseController
	piece   []byte
}

// follow sends lines as they come, as many at once as there are.
func (s *logStream) follow(ctx context.Context, from Logs, filter logs.Filter) {
	ctx, cancel := context.WithCancel(ctx)
	lines := make(chan logs.Line, logsAhead)
	go func() {
		defer close(lines)
		for line := range from.Follow(ctx, filter) {
			select {
			case lines <- line:
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() {
		cancel()
		for range lines { // until it has ended
			continue
		}
	}()
	if s.streams.send(s.w, s.rc, nil) != nil {
		return
	}
	for goOn := true; goOn; {
		goOn = s.pass(ctx, lines)
	}
}

// pass writes down what has come, or waits for it. It reports whether to go on.
func (s *logStream) pass(ctx context.Context, lines <-chan logs.Line) bool {
	select {
	case line, ok := <-lines:
		return ok && s.add(line) == nil && !s.ends()
	default: // nothing more has come: what there is goes out
	}
	if s.send() != nil {
		return false
	}
	pulse := time.NewTimer(eventsPulse)
	defer pulse.Stop()
	select {
	case line, ok := <-lines:
		return ok && s.add(line) == nil
	case <-pulse.C:
		return s.streams.send(s.w, s.rc, []byte("\n")) == nil // so that a client that is gone is found
	case <-s.over:
		comeAgain(s.w)
	case <-ctx.Done():
	}
	return false
}

// ends reports whether it has to end, and sends what there is if so: who writes all the time would never let it.
func (s *logStream) ends() bool {
	if !closed(s.over) {
		return false
	}
	comeAgain(s.w)
	_ = s.send()
	return true
}

// add writes a line down, and sends when there is much to send.
func (s *logStream) add(line logs.Line) error {
	l := LogLine{
		Time: line.Time, Pool: line.Pool, WorkerID: line.WorkerID, PID: line.PID, Stream: line.Stream, Text: line.Text, Missed: line.Missed,
	}
	if line.Slot != logs.NoSlot {
		l.Slot = &line.Slot
	}
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	s.piece = append(append(s.piece, text...), '\n')
	if len(s.piece) < logsPiece {
		return nil
	}
	return s.send()
}

func (s *logStream) send() error {
	if len(s.piece) == 0 {
		return nil
	}
	err := s.streams.send(s.w, s.rc, s.piece)
	s.piece = s.piece[:0]
	return err
}
