package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/poll"
)

// handOn freezes a house and returns the one that goes on with its descriptors, which is what follows an exec: of the first
// one nothing runs any more.
func handOn(t testing.TB, from *house, options ...func(*Options)) (*house, *Handed) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	h, err := from.Freeze(ctx)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	read := &Handed{Blob: bytes.Clone(h.Blob)}
	if err := json.Unmarshal(text, read); err != nil {
		t.Fatal(err)
	}
	p, err := poll.New()
	if err != nil {
		t.Fatal(err)
	}
	next := &house{out: from.out, err: from.err, outW: from.outW, errW: from.errW}
	opt := from.opt
	opt.Poller = p
	for _, change := range options {
		change(&opt)
	}
	if next.Mux, err = Restore(opt, read); err != nil {
		t.Fatal(err)
	}
	from.forgetDescriptors()
	t.Cleanup(func() {
		done, cancel := context.WithCancel(context.Background())
		cancel()
		_ = next.Mux.Close(done)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return next, read
}

// forgetDescriptors has a Mux that is frozen end without its descriptors, as the exec that ends it does not close them.
func (h *house) forgetDescriptors() {
	for _, s := range h.streamsNow() {
		s.each(func(l *lane) { l.read = -1 })
	}
	for _, s := range h.sinksNow() {
		if f, ok := s.to.(*file); ok {
			f.fd = -1
		}
		s.flying, s.pending, s.flown = nil, nil, 0
	}
}

func (h *house) adopt(t testing.TB, s *Stream, label string) *Stream {
	t.Helper()
	next, err := h.Adopt(s.Handle(), of(label))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(next.Close)
	return next
}

// worker is one that runs: the writing ends are its own.
type worker struct {
	*Stream
	out, err *os.File
}

func (h *house) start(t testing.TB, label string, set Settings, pid int) *worker {
	t.Helper()
	s, err := h.Open(of(label), set)
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{Stream: s, out: os.NewFile(uintptr(dup(t, s.Stdout())), "stdout"), err: os.NewFile(uintptr(dup(t, s.Stderr())), "stderr")}
	s.Spawned(pid)
	t.Cleanup(func() { _ = w.out.Close(); _ = w.err.Close(); s.Close() })
	return w
}

func TestAnotherProgramGoesOn(t *testing.T) {
	h := newHouse(t)
	h.Widen(7)
	first := h.start(t, "web.9", Settings{Mode: Tail}, 11)
	say(t, int(first.err.Fd()), "gone\n")
	_ = read(t, h.err, 5)
	first.Close()
	w := h.start(t, "web.1", Settings{Mode: Prefix}, 12)
	say(t, int(w.out.Fd()), "one\ntwo")
	if got := read(t, h.out, len("web.1   | one\n")); got != "web.1   | one\n" {
		t.Fatalf("%q", got)
	}
	stats, kept := h.Stats(), h.Recent(Filter{})
	next, _ := handOn(t, h)
	if got := next.Stats(); len(got) != 2 || got[0] != stats[0] || got[1] != stats[1] {
		t.Errorf("%+v, want %+v", got, stats)
	}
	got := next.Recent(Filter{})
	if len(got) != len(kept) || texts(got) != "gone|one|two" {
		t.Fatalf("%+v, want %+v", got, kept)
	}
	for i := range got {
		if kept[i].Time = kept[i].Time.Local(); got[i] != kept[i] {
			t.Errorf("%+v, want %+v", got[i], kept[i])
		}
	}
	say(t, int(w.out.Fd()), " and a half\n")
	s := next.adopt(t, w.Stream, "web.1")
	next.Settle()
	say(t, int(w.err.Fd()), "err\n")
	if got, want := read(t, h.out, len("web.1   | two and a half\n")), "web.1   | two and a half\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := read(t, h.err, len("web.1   | err\n")), "web.1   | err\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := strings.Join(s.Tail(5), "|"); got != "err" {
		t.Errorf("tail %q", got)
	}
	if l := next.Recent(Filter{Last: 1}); l[0].PID != 12 || l[0].Text != "err" || l[0].WorkerID != 101 {
		t.Errorf("%+v", l)
	}
	if _, err := next.Adopt(s.Handle(), of("web.1")); err == nil {
		t.Error("adopted twice")
	}
	if s := next.start(t, "web.2", Settings{}, 1); s.Handle() != 3 {
		t.Errorf("handle %d", s.Handle())
	}
}
