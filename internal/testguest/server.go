package testguest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
	"github.com/broodctl/brood/worker/self"
)

// server is a guest that serves HTTP.
type server struct {
	options
	http    http.Server
	facts   Facts
	feel    *moods
	sockets []named
	served  atomic.Uint64
	enough  chan struct{} // closed when the last request was served
	once    sync.Once
}

// serve serves the sockets until a signal or the last request, and gives the exit
// code.
func serve(o options, sockets func(*counters) ([]named, error)) int {
	s := &server{options: o, facts: facts(), enough: make(chan struct{})}
	// Before anything that takes time: a signal must find its handler.
	signals := make(chan os.Signal, 16)
	s.listen(signals)

	counters, err := openCounters(o.counters)
	if err != nil {
		return fail(err)
	}
	if s.feel, err = newMoods(o.mood, o.moods, o.moodPath); err != nil {
		return fail(err)
	}
	if s.sockets, err = sockets(counters); err != nil {
		return fail(err)
	}
	if o.after > 0 && !s.wait(signals, o.after) {
		return 0
	}
	if err := s.hurt(atStart); err != nil {
		return fail(err)
	}
	failed := s.open()
	if o.notify {
		if err := notify("READY=1"); err != nil {
			return fail(err)
		}
	}
	for {
		select {
		case sig := <-signals:
			if s.handle(sig) {
				return s.shutdown()
			}
		case <-s.enough:
			return s.shutdown()
		case err := <-failed:
			return fail(fmt.Errorf("cannot serve: %w", err))
		}
	}
}

// open begins to serve and gives the channel of what goes wrong.
func (s *server) open() <-chan error {
	mux := http.NewServeMux()
	mux.HandleFunc("/facts", s.answerWorld)
	mux.HandleFunc("/harm", s.answerHarm)
	mux.HandleFunc("/", s.answer)
	s.http.Handler = s.feel.through(mux)
	if s.report {
		s.http.Handler = self.CountRequests(s.http.Handler)
	}
	s.http.ConnContext = nameConn
	failed := make(chan error, len(s.sockets))
	for _, l := range s.sockets {
		if own, ok := l.listener.(*listener); ok {
			own.before = s.feel.hold
		}
		from := l.listener
		if s.serial {
			from = serially(from)
		}
		go func() { failed <- s.http.Serve(nameListener{from, l.name}) }() // the process ends with it
	}
	return failed
}

func (s *server) listen(signals chan os.Signal) {
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	if s.hup != "" || s.stubborn {
		signal.Notify(signals, syscall.SIGHUP)
	}
	if s.usr2 != "" {
		signal.Notify(signals, syscall.SIGUSR2)
	}
}

// wait waits; false when a signal ended it.
func (s *server) wait(signals chan os.Signal, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return true
		case sig := <-signals:
			if s.handle(sig) {
				return false
			}
		}
	}
}

// handle acts on a signal and reports whether to end.
func (s *server) handle(sig os.Signal) bool {
	file := ""
	switch sig {
	case syscall.SIGHUP:
		file = s.hup
	case syscall.SIGUSR2:
		file = s.usr2
	default:
		return !s.stubborn
	}
	if file == "" {
		return false
	}
	// One write to a file opened for appending: guests share it.
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		fail(err)
		return false
	}
	defer out.Close()
	if _, err := fmt.Fprintf(out, "%s\n", s.facts.Worker); err != nil {
		fail(err)
	}
	return false
}

func (s *server) shutdown() int {
	if err := s.hurt(atTerm); err != nil {
		return fail(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		return fail(fmt.Errorf("cannot drain: %w", err))
	}
	return 0
}

func (s *server) answer(w http.ResponseWriter, r *http.Request) {
	if s.work > 0 {
		time.Sleep(s.work)
	}
	s.reply(w, s.count(r))
}

func (s *server) answerWorld(w http.ResponseWriter, r *http.Request) { s.reply(w, world(s.count(r))) }

func (s *server) count(r *http.Request) Facts {
	f := s.facts
	f.Served = s.served.Add(1)
	f.Listener, _ = r.Context().Value(listenerKey{}).(string)
	if s.requests > 0 && f.Served >= s.requests {
		s.once.Do(func() { close(s.enough) })
	}
	return f
}

func (s *server) reply(w http.ResponseWriter, body any) {
	w.Header().Set(loadgen.WorkerHeader, s.facts.Worker.String())
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // the client has gone: that is its business
}
