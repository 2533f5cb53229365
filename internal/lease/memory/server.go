package memory

import (
	"fmt"
	"sync"
	"time"

	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/internal/lease/remote"
)

// Config is how far away a server is.
type Config struct {
	Latency time.Duration // of a request with its answer; news takes half of it
}

// Server keeps places in maps.
type Server struct {
	cfg     Config
	started time.Time

	mu       sync.Mutex
	revision uint64
	sessions map[lease.SessionID]*session
	names    map[string]*places
	memos    map[string]*memo
	onTheWay []news
	counts   Counts
}

// Counts are the requests that reached the server.
type Counts struct {
	Grants, Renewals, Takes, Refused, Notes, Drops, Looks, Entries, Memos, Watches, News int
}

// Requests are all of them, without the news that it sends.
func (c Counts) Requests() int {
	return c.Grants + c.Renewals + c.Takes + c.Notes + c.Drops + c.Looks + c.Memos + c.Watches
}

type session struct {
	ttl   time.Duration
	timer *time.Timer
	lives map[place]struct{}
}

type place struct {
	name  string
	index int
}

type places struct {
	lastGone uint64 // revision at which a place was freed or orphaned last
	entries  map[int]remote.Entry
	highest  int
	watchers map[*watcher]struct{}
}

// NewServer begins empty.
func NewServer(cfg Config) *Server {
	return &Server{cfg: cfg, started: time.Now(), sessions: map[lease.SessionID]*session{}, names: map[string]*places{}, memos: map[string]*memo{}}
}

// Counts are those until now.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// Stop ends the timers of the sessions that nobody ended.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		x.timer.Stop()
	}
}

// name: the server is locked.
func (s *Server) name(name string) *places {
	p := s.names[name]
	if p == nil {
		p = &places{entries: map[int]remote.Entry{}, watchers: map[*watcher]struct{}{}}
		s.names[name] = p
	}
	return p
}

// expire ends a session: what lived in it is gone, the marks stay.
func (s *Server) expire(id lease.SessionID) {
	x := s.sessions[id]
	if x == nil {
		return
	}
	x.timer.Stop()
	delete(s.sessions, id)
	s.revision++
	for at := range x.lives {
		p := s.name(at.name)
		e := p.entries[at.index]
		e.Alive = false
		p.entries[at.index] = e
		s.tell(at.name, remote.Change{Kind: remote.Orphaned, Place: at.index})
	}
}

func (s *Server) String() string { return "memory" }

// Clock is the server's, which in a bubble of testing/synctest is virtual.
func (s *Server) Clock() remote.Clock { return clock{s.started} }

type clock struct{ started time.Time }

func (c clock) Now() time.Duration { return time.Since(c.started) }

func (c clock) AfterFunc(at time.Duration, f func()) (func(), error) {
	done := make(chan struct{})
	timer := time.AfterFunc(at-c.Now(), func() {
		defer close(done)
		f()
	})
	return func() {
		if !timer.Stop() {
			<-done
		}
	}, nil
}

func (c Counts) String() string {
	return fmt.Sprintf("%d requests: %d grants, %d renewals, %d takes (%d refused), %d notes, %d drops, %d looks at %d entries, %d memos, %d watches; %d news",
		c.Requests(), c.Grants, c.Renewals, c.Takes, c.Refused, c.Notes, c.Drops, c.Looks, c.Entries, c.Memos, c.Watches, c.News)
}

// Since are those after others.
func (c Counts) Since(o Counts) Counts {
	return Counts{
		Grants: c.Grants - o.Grants, Renewals: c.Renewals - o.Renewals, Takes: c.Takes - o.Takes, Refused: c.Refused - o.Refused, Notes: c.Notes - o.Notes,
		Drops: c.Drops - o.Drops, Looks: c.Looks - o.Looks, Entries: c.Entries - o.Entries, Memos: c.Memos - o.Memos, Watches: c.Watches - o.Watches, News: c.News - o.News,
	}
}
