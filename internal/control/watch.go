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
	// watchAge is how old the line may be that a new watcher begins with: nothing may have been published since, but ages and
	// figures are as of when it was written down.
	watchAge = time.Second
)

// watchers writes each snapshot down once, for all who watch. Nothing is queued: a watcher that is late gets the latest,
// and until it has read that, it costs one line of memory.
type watchers struct {
	sup     Supervisor
	streams *streams

	mu    sync.Mutex
	count int
	line  []byte          // the latest snapshot
	at    time.Time       // when it was written down
	newer <-chan struct{} // closed when there is one after line
	next  time.Time       // the next is not written down before
}

func newWatchers(sup Supervisor, streams *streams) *watchers {
	return &watchers{sup: sup, streams: streams}
}

// ServeHTTP streams snapshots, the current one first, until the client or the server leaves.
func (ws *watchers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	over := ws.streams.over()
	rc := ws.streams.begin(w, "application/x-ndjson")
	ws.enter()
	defer ws.leave(rc)
	var sent <-chan struct{}
	for {
		line, newer, err := ws.latest(sent == nil)
		if err != nil {
			return
		}
		if newer != sent {
			if err := ws.streams.send(w, rc, line); err != nil {
				return
			}
			sent = newer
		}
		select {
		case <-newer:
		case <-r.Context().Done():
			return
		case <-over:
			if !closed(newer) {
				comeAgain(w)
				return
			}
			continue // with the supervisor's last words
		}
		select {
		case <-time.After(ws.pause()):
		case <-r.Context().Done():
			return
		case <-over:
		}
	}
}

// latest returns the latest snapshot as a line, and what closes when there is one after it. Who asks while it is written
// down waits for the lock, which is cheaper than to write it down again. To begin with it is not older than watchAge.
func (ws *watchers) latest(begins bool) ([]byte, <-chan struct{}, error) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	newer := ws.sup.Changed() // before the snapshot, so that none is missed between the two
	if begin := time.Now(); newer != ws.newer || begins && begin.Sub(ws.at) > watchAge {
		line, err := json.Marshal(ws.sup.Snapshot())
		if err != nil {
			return nil, nil, err
		}
		ws.line, ws.newer, ws.at = append(line, '\n'), newer, begin
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

func (ws *watchers) enter() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.count++
}

// leave forgets a watcher, and with the last one what was written down.
func (ws *watchers) leave(rc *http.ResponseController) {
	ws.streams.leave(rc)
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.count--; ws.count == 0 {
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
