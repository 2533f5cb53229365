package self

import (
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/broodctl/brood/worker/handshake"
)

// requestsEvery is how far the supervisor's count may lag behind.
const requestsEvery = time.Second

// CountRequests returns a handler that counts what h has served and tells the
// supervisor, for the max_requests of the pool. Wrap the outermost handler of the
// program, once: the supervisor knows one total of each worker. Without a
// supervisor it is h itself.
//
// A request costs two atomic operations. The total is told a second after the
// first request that it does not have, so once a second under load, the last one
// as well, and never without requests.
func CountRequests(h http.Handler) http.Handler {
	if os.Getenv(handshake.EnvNotifySocket) == "" {
		return h
	}
	c := new(requests)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer c.add() // also when h panics
		h.ServeHTTP(w, r)
	})
}

// requests counts, and tells the total by a timer while there is something to tell.
type requests struct {
	total   atomic.Uint64
	pending atomic.Bool // the timer runs
}

func (c *requests) add() {
	c.total.Add(1)
	// Load first: the line of memory stays with all processors as long as nobody writes.
	if !c.pending.Load() && c.pending.CompareAndSwap(false, true) {
		time.AfterFunc(requestsEvery, c.tell)
	}
}

func (c *requests) tell() {
	c.pending.Store(false) // before the total is read: who comes now starts the next timer
	_ = Requests(c.total.Load())
}
