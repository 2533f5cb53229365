package top

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"go.uber.org/goleak"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/events"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeSource is a supervisor that says what it is told to.
type fakeSource struct {
	mu     sync.Mutex
	status []supervisor.Snapshot // one after the other; the last one stays
	err    error
	watch  func(ctx context.Context, yield func(supervisor.Snapshot, error) bool)
	asked  []Ask
	result control.Result
}

func (f *fakeSource) Status(context.Context) (supervisor.Snapshot, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return supervisor.Snapshot{}, f.err
	}
	snap := f.status[0]
	if len(f.status) > 1 {
		f.status = f.status[1:]
	}
	return snap, nil
}

func (f *fakeSource) Watch(ctx context.Context) iter.Seq2[supervisor.Snapshot, error] {
	return func(yield func(supervisor.Snapshot, error) bool) { f.watch(ctx, yield) }
}

func (f *fakeSource) Do(_ context.Context, verb supervisor.Verb, body control.Body, _ time.Duration) (control.Result, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, Ask{Verb: verb, Body: body})
	return f.result, f.err
}

func (f *fakeSource) Config(context.Context) (control.Config, error) {
	return control.Config{}, errRefused
}

func (f *fakeSource) Logs(_ context.Context, wanted control.LogsWanted) iter.Seq2[control.LogLine, error] {
	return func(yield func(control.LogLine, error) bool) {
		yield(control.LogLine{Text: fmt.Sprintf("slot %d of %s is listening", *wanted.Slot, wanted.Pool)}, nil)
	}
}

func (f *fakeSource) Events(ctx context.Context, wanted control.EventsWanted) iter.Seq2[control.Identified, error] {
	return func(yield func(control.Identified, error) bool) {
		if wanted.After == "0" {
			for i := range 2 {
				e := control.Identified{ID: "7-" + strconv.Itoa(i)}
				e.Pool, e.Slot, e.Kind, e.State = "web", new(i), events.Worker, "happened"+strconv.Itoa(i)
				yield(e, nil)
			}
		}
		<-ctx.Done()
	}
}

// stays yields one snapshot, and then nothing until somebody leaves.
func stays(snap supervisor.Snapshot) func(context.Context, func(supervisor.Snapshot, error) bool) {
	return func(ctx context.Context, yield func(supervisor.Snapshot, error) bool) {
		if yield(snap, nil) {
			<-ctx.Done()
			yield(supervisor.Snapshot{}, ctx.Err())
		}
	}
}

func TestFeedMeasuresAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lives := 0
		source := &fakeSource{status: []supervisor.Snapshot{shop()}}
		source.watch = func(ctx context.Context, yield func(supervisor.Snapshot, error) bool) {
			switch lives++; lives {
			case 1:
				yield(shop(), nil) // and it ends
			case 2, 3:
				yield(supervisor.Snapshot{}, errRefused)
			default:
				stays(later())(ctx, yield)
			}
		}
		var told []string
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
		defer cancel()
		var mu sync.Mutex
		f := feed{source: source, interval: 4 * time.Second, send: func(msg tea.Msg) {
			mu.Lock()
			defer mu.Unlock()
			what := time.Since(begin).String() + " "
			switch msg := msg.(type) {
			case Arrived:
				what += "arrived"
			case Lost:
				what += "lost"
				if msg.Err != nil {
					what += " " + msg.Err.Error()
				}
			}
			told = append(told, what)
		}}
		f.run(ctx)
		want := []string{"0s arrived", "0s lost", "1s lost refused", "2s lost refused", "3s arrived", "4s arrived", "8s arrived"}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

// screenOf collects what a program draws until it has some text.
type screenOf struct {
	mu   sync.Mutex
	text strings.Builder
	news chan struct{}
}

func (s *screenOf) Write(p []byte) (int, error) {
	s.mu.Lock()
	s.text.Write(p)
	s.mu.Unlock()
	select {
	case s.news <- struct{}{}:
	default:
	}
	return len(p), nil
}

// await waits until the text was drawn.
func (s *screenOf) await(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		s.mu.Lock()
		drawn := s.text.String()
		s.mu.Unlock()
		if strings.Contains(drawn, text) {
			return
		}
		select {
		case <-s.news:
		case <-deadline:
			t.Fatalf("%q was never drawn, but %q", text, drawn)
		}
	}
}

// A whole program: pictures come, keys are obeyed, answers are shown, and nothing stays behind.
func TestRun(t *testing.T) {
	for name, leave := range map[string]func(keys io.Writer, cancel func()){
		"by a key":      func(keys io.Writer, _ func()) { _, _ = io.WriteString(keys, "q") },
		"by Ctrl-C":     func(keys io.Writer, _ func()) { _, _ = io.WriteString(keys, "\x03") },
		"by its caller": func(_ io.Writer, cancel func()) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			source := &fakeSource{status: []supervisor.Snapshot{shop()}, watch: stays(shop()), result: control.Result{Text: "four new ones"}}
			in, keys, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			defer keys.Close()
			screen := &screenOf{news: make(chan struct{}, 1)}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() {
				ended <- Run(ctx, source, Options{}, Terminal{In: in, Out: screen, Interval: time.Hour, Width: 80, Height: 24})
			}()
			screen.await(t, "unready")
			_, _ = io.WriteString(keys, "r")
			screen.await(t, "Type y to do it")
			_, _ = io.WriteString(keys, "y")
			screen.await(t, "four new ones")
			_, _ = io.WriteString(keys, "jj\r5")
			screen.await(t, "slot 1 of web is listening")
			_, _ = io.WriteString(keys, "6")
			screen.await(t, "happened1")
			leave(keys, cancel)
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if len(source.asked) != 1 || source.asked[0].Verb != supervisor.Roll || source.asked[0].Body.Pool != "web" {
				t.Errorf("asked for %+v", source.asked)
			}
		})
	}
}
