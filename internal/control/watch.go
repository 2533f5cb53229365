package control

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

const (
	// watchPause is the least time between two snapshots of a stream: more of them nobody can read.
	watchPause = 50 * time.Millisecond
	// watchShare bounds what streams cost beside the supervisor's own work: a snapshot of a thousand workers takes
	// milliseconds to write down.
	watchShare = 20 // one part in
	// watchPatience is how long a watcher may take to read one snapshot.
	watchPatience = 10 * time.Second
	// watchFarewell is how long the last snapshot may take when the server ends.
	watchFarewell = 200 * time.Millisecond
)

// watchers writes each snapshot down once, for all who watch. Nothing is queued: a watcher that is late gets the latest,
// and until it has read that, it costs one line of memory.
type watchers struct {
	sup   Supervisor
	ended chan struct{}

	mu     sync.Mutex
	all    map[*http.ResponseController]struct{}
	ending bool
	line   []byte          // the latest snapshot
	newer  <-chan struct{} // closed when there is one after line
	next   time.Time       // the next is not written down before
}

func newWatchers(sup Supervisor) *watchers {
	return &watchers{sup: sup, ended: make(chan struct{}), all: map[*http.ResponseController]struct{}{}}
}

// end ends all streams after the latest snapshot. It may be called once.
func (ws *watchers) end() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.ending = true
	for rc := range ws.all {
		_ = rc.SetWriteDeadline(time.Now().Add(watchFarewell)) // also of a write that is under way
	}
	close(ws.ended)
}

// ServeHTTP streams snapshots, the current one first, until the client or the server leaves.
func (ws *watchers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{}) // the server's is for requests; it would end the stream
	defer ws.leave(rc)
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Connection", "close")
	var sent <-chan struct{}
	for {
		line, newer, err := ws.latest()
		if err != nil {
			return
		}
		if newer != sent {
			ws.grant(rc)
			if _, err := w.Write(line); err != nil {
				return
			}
			if err := rc.Flush(); err != nil {
				return
			}
			sent = newer
		}
		select {
		case <-newer:
		case <-r.Context().Done():
			return
		case <-ws.ended:
			if !closed(newer) {
				return
			}
			continue // with the supervisor's last words
		}
		select {
		case <-time.After(ws.pause()):
		case <-r.Context().Done():
			return
		case <-ws.ended:
		}
	}
}

// latest returns the latest snapshot as a line, and what closes when there is one after it. Who asks while it is written
// down waits for the lock, which is cheaper than to write it down again.
func (ws *watchers) latest() ([]byte, <-chan struct{}, error) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	newer := ws.sup.Changed() // before the snapshot, so that none is missed between the two
	if newer != ws.newer {
		begin := time.Now()
		line, err := json.Marshal(ws.sup.Snapshot())
		if err != nil {
			return nil, nil, err
		}
		ws.line, ws.newer = append(line, '\n'), newer
		ws.next = begin.Add(max(watchPause, watchShare*time.Since(begin)))
	}
	return ws.line, newer, nil
}

// pause is how long the next snapshot has to wait. It ends for all watchers at the same time, so that they share it.
func (ws *watchers) pause() time.Duration {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return time.Until(ws.next)
}

// grant gives a watcher time to read a snapshot.
func (ws *watchers) grant(rc *http.ResponseController) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	patience := watchPatience
	if ws.ending {
		patience = watchFarewell
	}
	ws.all[rc] = struct{}{}
	_ = rc.SetWriteDeadline(time.Now().Add(patience))
}

// leave forgets a watcher, and with the last one what was written down.
func (ws *watchers) leave(rc *http.ResponseController) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.all, rc)
	if len(ws.all) == 0 {
		ws.line, ws.newer = nil, nil
	}
}

func closed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
