package control

import (
	"net/http"
	"sync"
	"time"
)

const (
	// streamPatience is how long a client may take to read one piece of a stream.
	streamPatience = 10 * time.Second
	// streamFarewell is how long the last piece may take when the server ends, or pauses.
	streamFarewell = 200 * time.Millisecond
)

// streams are the answers that go on until one of both sides leaves.
type streams struct {
	mu    sync.Mutex
	all   map[*http.ResponseController]struct{}
	ended chan struct{} // closed while there shall be none
}

func newStreams() *streams {
	return &streams{ended: make(chan struct{}), all: map[*http.ResponseController]struct{}{}}
}

// over returns a channel that is closed when all that are there now have to end.
func (s *streams) over() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// end ends all of them, after what they have to say at once. It may be called again.
func (s *streams) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if closed(s.ended) {
		return
	}
	for rc := range s.all {
		_ = rc.SetWriteDeadline(time.Now().Add(streamFarewell)) // also of a write that is under way
	}
	close(s.ended)
}

// goOn lets there be streams again, after end.
func (s *streams) goOn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if closed(s.ended) {
		s.ended = make(chan struct{})
	}
}

// headerAgain is a trailer of streams that end because the server does, or pauses: whoever serves the address next goes on.
const headerAgain = "Brood-Again"

// comeAgain tells the client of a stream that is over to ask again.
func comeAgain(w http.ResponseWriter) { w.Header().Set(headerAgain, "true") }

// begin makes a stream of an answer. The caller has to leave.
func (s *streams) begin(w http.ResponseWriter, contentType string) *http.ResponseController {
	rc := http.NewResponseController(w)
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Connection", "close")
	w.Header().Set("Trailer", headerAgain)
	w.Header().Set("X-Accel-Buffering", "no") // nginx would keep an event until it has some kilobytes of them
	return rc
}

// grant gives a client time to read a piece.
func (s *streams) grant(rc *http.ResponseController) {
	s.mu.Lock()
	defer s.mu.Unlock()
	patience := streamPatience
	if closed(s.ended) {
		patience = streamFarewell
	}
	s.all[rc] = struct{}{}
	_ = rc.SetWriteDeadline(time.Now().Add(patience))
}

// send writes a piece, and sees it off.
func (s *streams) send(w http.ResponseWriter, rc *http.ResponseController, piece []byte) error {
	s.grant(rc)
	if _, err := w.Write(piece); err != nil {
		return err
	}
	return rc.Flush()
}

// leave forgets a stream.
func (s *streams) leave(rc *http.ResponseController) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, rc)
}
