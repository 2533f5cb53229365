package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/logs"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/events"
)

// scroll is what workers have written, of which who comes again reads from the beginning.
type scroll struct {
	lines chan logs.Line
	kept  []logs.Line
}

func (s *scroll) Kept(f logs.Filter) iter.Seq[logs.Line] {
	return func(yield func(logs.Line) bool) {
		for _, l := range s.kept {
			if !l.Time.Before(f.Since) && !yield(l) {
				return
			}
		}
	}
}

func (s *scroll) Follow(ctx context.Context, f logs.Filter) iter.Seq[logs.Line] {
	return func(yield func(logs.Line) bool) {
		s.Kept(f)(yield)
		for {
			select {
			case l := <-s.lines:
				if s.kept = append(s.kept, l); !yield(l) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// Clients see nothing of it when another server takes over, again and again.
func TestClientsGoOnWithTheNextServer(t *testing.T) {
	socket, err := Listen(filepath.Join(t.TempDir(), "web.sock"), Access{})
	if err != nil {
		t.Fatal(err)
	}
	client := NewClient(socket.path)
	s := newSlow()
	s.feed = events.NewFeed()
	written := &scroll{lines: make(chan logs.Line)}
	opt := Options{Logs: written}
	server := Serve(socket, s, opt)
	done := make(chan error, 1)
	go func() {
		result, err := client.Do(t.Context(), supervisor.Roll, Body{}, time.Minute)
		if err == nil && (result.Text != "rolled" || result.Operation != "op-1" || result.Accepted) {
			err = fmt.Errorf("%+v", result)
		}
		done <- err
	}()
	for len(get[Operations](t, client, PathOperations, 200).Operations) == 0 {
		<-time.After(time.Millisecond)
	}
	snap, stop := iter.Pull2(client.Watch(t.Context()))
	defer stop()
	event, stop := iter.Pull2(client.Events(t.Context(), EventsWanted{After: "0"}))
	defer stop()
	line, stop := iter.Pull2(client.Logs(t.Context(), LogsWanted{Follow: true}))
	defer stop()
	if _, err, ok := snap(); err != nil || !ok {
		t.Fatal(err, ok)
	}
	at := time.Now()
	for round := range 4 {
		s.feed.Add(events.Event{Kind: events.Scale, Workers: round + 1})
		if e, err, ok := event(); err != nil || !ok || e.Workers != round+1 || e.ID[len(e.ID)-1] != byte('1'+round) {
			t.Fatalf("round %d: %+v, %v, %v", round, e, err, ok)
		}
		go func() {
			for n := range 2 { // both at one time, and with the same words
				written.lines <- logs.Line{Time: at.Add(time.Duration(round)), Pool: "web", Text: fmt.Sprint(n / 2)}
			}
		}()
		for range 2 {
			if l, err, ok := line(); err != nil || !ok || !l.Time.Equal(at.Add(time.Duration(round))) {
				t.Fatalf("round %d: %+v, %v, %v", round, l, err, ok)
			}
		}
		if round == 3 {
			break
		}
		server.Pause(t.Context())
		if round == 0 {
			server.Resume() // it did not come about
		} else {
			var handed *Handed
			handed, socket = replaced(t, server, socket, "op-1")
			opt.Handed = handed
			server = Serve(socket, &heir{slow: s}, opt)
		}
		s.become(func(p *supervisor.PoolView) { p.Ready = round })
		for {
			got, err, ok := snap()
			if err != nil || !ok {
				t.Fatalf("round %d: %v, %v", round, err, ok)
			}
			if got.Pools[0].Ready == round {
				break
			}
		}
	}
	s.verdicts <- supervisor.Verdict{Text: "rolled"}
	if err := <-done; err != nil {
		t.Error(err)
	}
	server.Close()
	socket.Remove()
	for what, next := range map[string]func() (error, bool){
		"watch":  func() (error, bool) { _, err, ok := snap(); return err, ok },
		"events": func() (error, bool) { _, err, ok := event(); return err, ok },
		"logs":   func() (error, bool) { _, err, ok := line(); return err, ok },
	} {
		for err, ok := next(); ok; err, ok = next() {
			if err != nil {
				t.Errorf("%s at the end: %v", what, err)
			}
		}
	}
}

// Another supervisor that has the name by then is not taken for the one before.
func TestOtherLife(t *testing.T) {
	snap := func(pid int) *supervisor.Snapshot { return &supervisor.Snapshot{PID: pid, Started: began} }
	if of := lifeOf(snap(7)); !of.has(snap(7)) || of.has(snap(8)) || of.has(&supervisor.Snapshot{PID: 7, Started: began.Add(1)}) {
		t.Error("lives are taken for each other")
	}
	late := Operation{ID: "op-1", State: OperationDone, Started: time.Now().Add(time.Hour)}
	text, err := json.Marshal(late)
	if err != nil {
		t.Fatal(err)
	}
	var op Operation
	if err := json.Unmarshal(text, &op); err != nil {
		t.Fatal(err)
	}
	o := newSlow()
	server, client := serve(t, o)
	defer server.Close()
	server.api.ops.take(&Handed{Serial: 1, Operations: []HandedOperation{{Seen: op}}})
	if _, err := client.finish(t.Context(), supervisor.Roll, "op-1", time.Second); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("%v", err)
	}
}
