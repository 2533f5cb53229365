package control

import (
	"cmp"
	"context"
	"encoding/json"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/internal/door"
	"github.com/broodctl/brood/internal/fleet"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/events"
)

// Supervisor is what the API steers; see supervisor.Supervisor.
type Supervisor interface {
	Snapshot() supervisor.Snapshot
	// Published is the same without ages and without what is measured. Nobody changes it.
	Published() *supervisor.Snapshot
	// Measured is a snapshot that waits for what is measured.
	Measured() supervisor.Snapshot
	// Changed returns a channel that is closed when a snapshot newer than the current one is published, and until then
	// the same one.
	Changed() <-chan struct{}
	Do(ctx context.Context, req supervisor.Request) supervisor.Verdict
	Events() *events.Feed
	// Fleets are those that the pools take turns with, or the one of a name.
	Fleets(ctx context.Context, name string) ([]fleet.View, error)
	// Document is the configuration in force, without secrets.
	Document() json.RawMessage
}

// Options are what a Server has beside the supervisor.
type Options struct {
	Access  Access
	Handed  *Handed      // of the program before this one; nil if there was none
	Logs    Logs         // nil if nobody keeps what workers write
	Metrics http.Handler // answers PathMetrics; nil if nobody counts
	Log     zerolog.Logger

	readTime time.Duration // that a request may take to be read; 0 is requestTime
}

// api is what the handlers share.
type api struct {
	sources  Options
	sup      Supervisor
	start    string     // when the supervisor did, in milliseconds of Unix time
	page     statusPage // for those who may read
	glance   statusPage // and for all others
	streams  *streams
	watchers *watchers
	ops      *operations
	brief    places // of requests that read files
	// logReaders are the places of those who read logs.
	logReaders places
}

// requestTime is how long a request may take to be read: slow clients are cut. Package http counts it no longer once a request
// has been read, however long its client waits then.
const requestTime = 10 * time.Second

// mostBrief is how many requests of others than root may read files at once; see places.
const mostBrief = 4

// Server answers on a socket, and where it is told, until Close.
type Server struct {
	api  *api
	next http.Handler // what is behind the guards

	mu        sync.Mutex
	entrances []*entrance
}

// entrance is a door that the server attends, and how.
type entrance struct {
	door  *door.Door
	count func(net.Listener) net.Listener // the connections
	meet  func(context.Context, net.Conn) context.Context
	guard http.Handler
	turn  *door.Turn // nil while the server pauses
}

// Serve answers requests from the socket, which it closes in the end, of those who have access.
func Serve(socket *Socket, sup Supervisor, opt Options) *Server {
	a := &api{
		sources: opt, logReaders: newPlaces(mostLogReaders),
		sup: sup, start: strconv.FormatInt(sup.Published().Started.UnixMilli(), 10),
		streams: newStreams(), ops: newOperations(sup), brief: newPlaces(mostBrief),
	}
	a.watchers = newWatchers(sup, a.streams)
	if opt.Handed != nil {
		a.ops.take(opt.Handed)
	}
	s := &Server{api: a, next: sensible(a.handler())}
	s.add(&entrance{
		door: socket.door, count: func(l net.Listener) net.Listener { return limit(l) }, meet: identify,
		guard: guard(socket.path, opt.Access, s.next),
	})
	return s
}

// ServeTCP answers requests on another listener too, of those who have a token. It closes the door in the end. It may be
// called until Close is.
func (s *Server) ServeTCP(d *door.Door, tokens Tokens) {
	s.add(&entrance{
		door: d, count: func(l net.Listener) net.Listener { return &crowd{Listener: l} }, meet: receive,
		guard: guardTCP(tokens, s.next),
	})
}

// nobody is no user's number.
const nobody = supervisor.Nobody

// trusted reports whether a user may do everything whatever is configured.
func trusted(uid int) bool { return uid == 0 || uid == os.Geteuid() }

func (s *Server) add(p *entrance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entrances = append(s.entrances, p)
	s.attend(p)
}

func (s *Server) attend(p *entrance) {
	p.turn = door.Serve(p.count(p.door.Attend()), &http.Server{
		Handler:           p.guard,
		ConnContext:       p.meet,
		ReadTimeout:       cmp.Or(s.api.sources.readTime, requestTime),
		ReadHeaderTimeout: 5 * time.Second,
		MaxHeaderBytes:    maxBody,
		ErrorLog:          log.New(s.api.sources.Log.With().Str("part", "control").Logger(), "", 0), // bugs of ours, and no descriptors
	})
}

// Close lets the answers that are under way be written, for a moment, ends the streams, and closes the socket.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.entrances {
		_ = p.door.Close() // so that nobody comes back who is sent away
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s.rest(ctx)
	s.api.ops.end()
}
