package logs

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"
)

func texts(lines []Line) string {
	all := make([]string, len(lines))
	for i, l := range lines {
		all[i] = l.Text
	}
	return strings.Join(all, "|")
}

// follow has next return the lines of a reader one by one; it begins before follow returns.
func follow(t *testing.T, h *house, f Filter) (next func() Line) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	pull, stop := iter.Pull(h.Follow(ctx, f))
	t.Cleanup(func() { stop(); cancel() })
	return func() Line {
		t.Helper()
		l, ok := pull()
		if !ok {
			t.Fatal("the lines have ended")
		}
		return l
	}
}

func TestRecent(t *testing.T) {
	h := newHouse(t)
	one, two := h.open(t, "web.1", Tail), h.open(t, "web.2", Tail)
	other := h.open(t, "db.1", Tail)
	one.Spawned(4711)
	begin := time.Now()
	for _, say1 := range []struct {
		s    *Stream
		text string
	}{{two, "a\n"}, {two, "half"}, {other, "b\nc\n"}, {two, " and half\n"}} {
		say(t, say1.s.Stderr(), say1.text)
		_ = read(t, h.err, len(say1.text))
	}
	one.Close()
	for want, f := range map[string]Filter{
		"a|half and half|b|c": {}, "a|half and half": {Pool: "web"}, "b|c": {Slot: new(1)}, "": {Pool: "web", Slot: new(1)}, "c": {Last: 1},
	} {
		if got := texts(h.Recent(f)); got != want {
			t.Errorf("%+v: %q, want %q", f, got, want)
		}
	}
	l := h.Recent(Filter{Pool: "db"})[0]
	if l.Pool != "db" || l.Slot != 1 || l.WorkerID != 101 || l.PID != 0 || l.Stream != "stderr" || l.Missed != 0 || l.Time.Before(begin) {
		t.Errorf("%+v", l)
	}
	if got := h.Recent(Filter{Since: time.Now()}); len(got) != 0 {
		t.Errorf("of the future: %+v", got)
	}
}

// Who asks for the last of many lines gets them, and of one stream if it is asked for.
func TestLastOfMany(t *testing.T) {
	h := newHouse(t)
	var want []string
	for slot := range 8 {
		r := h.open(t, fmt.Sprintf("web.%d", slot), Tail).recorder
		for i := range 2000 {
			at := int64(i*10 + slot)
			text := fmt.Sprintf("%05d\n", at)
			r.add(record{at: at, stream: standard(i % 2), text: []byte(text)}, 1)
		}
	}
	for i := 1997; i < 2000; i += 2 {
		for slot := range 8 {
			want = append(want, fmt.Sprintf("%05d", i*10+slot))
		}
	}
	f := Filter{Stream: "stderr", Last: 16}
	if got := texts(h.Recent(f)); got != strings.Join(want, "|") {
		t.Errorf("got %s", got)
	}
	next := follow(t, h, f)
	for _, w := range want {
		if l := next(); l.Text != w || l.Stream != "stderr" {
			t.Fatalf("%+v, want %s", l, w)
		}
	}
	r := h.Mux.source(place{"web", 0}).live[0]
	r.add(record{at: 1, stream: stdout, text: []byte("no\n")}, 1)
	r.add(record{at: 1, stream: stderr, text: []byte("yes\n")}, 1)
	if l := next(); l.Text != "yes" {
		t.Errorf("%+v", l)
	}
}

// The worker is gone, its words are not; those of its successor come behind them, and push them out in the end.
func TestRecentOutlivesTheWorker(t *testing.T) {
	h := newHouse(t)
	first := h.open(t, "web.0", Tail)
	say(t, first.Stdout(), "out\n")
	first.Spawned(11)
	_ = read(t, h.out, 4)
	first.Close()
	second := h.open(t, "web.0", Tail)
	second.Spawned(12)
	for range 40 {
		third := h.open(t, "web.0", Tail)
		third.Close()
	}
	write := func(text string) {
		t.Helper()
		r := h.Mux.source(place{"web", 0}).live[0]
		r.add(record{at: time.Now().UnixNano(), stream: stderr, text: []byte(text)}, strings.Count(text, "\n"))
	}
	write("err\nno end")
	got := h.Recent(Filter{Pool: "web"})
	if texts(got) != "out|err|no end" || got[0].PID != 11 || got[0].Stream != "stdout" || got[1].PID != 12 {
		t.Errorf("%+v", got)
	}
	for range 2 { // from here on it would be more than two workers may keep
		h.open(t, "web.0", Tail).recorder.add(record{at: 1, text: make([]byte, keepSize/2+1)}, 0)
	}
	for i := range 5000 {
		write(fmt.Sprintf("line %d of many\n", i))
	}
	got = h.Recent(Filter{})
	size := 0
	for _, l := range got {
		size += len(l.Text)
	}
	if len(got) < 1000 || size > 3*keepSize || got[len(got)-1].Text != "line 4999 of many" || got[0].PID == 11 {
		t.Errorf("%d lines, %d bytes, from %q", len(got), size, got[0].Text)
	}
}

// Pools that come and go do not fill the memory: the oldest words are let go of.
func TestPastHasABound(t *testing.T) {
	h := newHouse(t)
	text := []byte(strings.Repeat("p", 60_000) + "\n")
	const count = 1200 // 75 MiB
	for i := range count {
		r := h.Mux.source(place{fmt.Sprintf("web-%d", i), 0}).record(i, 0)
		r.add(record{at: int64(i), stream: stdout, text: text}, 1)
		r.close()
		if kept := h.past.Load(); kept > pastSize {
			t.Fatalf("%d bytes after %d workers", kept, i+1)
		}
	}
	lines := h.Recent(Filter{})
	if n := len(lines); n < count*2/3 || n > 1024 || lines[0].WorkerID != count-n || lines[n-1].WorkerID != count-1 {
		t.Errorf("%d are kept, from %d", n, lines[0].WorkerID)
	}
	if got := int64(len(lines)) * keepSize; got != h.past.Load() {
		t.Errorf("%d bytes are kept, and counted %d", got, h.past.Load())
	}
}

func TestClosedTwiceIsKeptOnce(t *testing.T) {
	h := newHouse(t)
	s := h.open(t, "web.1", Tail)
	say(t, s.Stderr(), "a\n")
	_ = read(t, h.err, 2)
	s.Close()
	s.Close()
	if got := texts(h.Recent(Filter{})); got != "a" {
		t.Errorf("%q was written once", got)
	}
}

func TestFollow(t *testing.T) {
	h := newHouse(t)
	s := h.open(t, "web.0", Tail)
	say(t, s.Stderr(), "old\nbeg")
	_ = read(t, h.err, 7)
	next, last, web := follow(t, h, Filter{}), follow(t, h, Filter{Last: 1}), follow(t, h, Filter{Pool: "web"})
	for _, n := range []func() Line{next, last, web} {
		if l := n(); l.Text != "old" {
			t.Errorf("kept: %+v", l)
		}
	}
	db := h.open(t, "db.0", Tail)
	say(t, db.Stdout(), "db\n")
	if l := next(); l.Text != "db" || l.Stream != "stdout" {
		t.Errorf("%+v", l)
	}
	say(t, s.Stderr(), "un\nlast words")
	s.Close()
	for _, n := range []func() Line{next, web} {
		if a, b := n(), n(); a.Text != "begun" || b.Text != "last words" {
			t.Errorf("%+v, %+v", a, b)
		}
	}
}

// A reader that sleeps loses lines, is told how many, and sees the newest.
func TestSlowReaderMisses(t *testing.T) {
	h := newHouse(t)
	s := h.open(t, "web.0", Tail)
	next := follow(t, h, Filter{})
	say(t, s.Stderr(), "0\n")
	if l := next(); l.Text != "0" {
		t.Fatalf("%+v", l)
	}
	const count = 40000
	rec := h.Mux.source(place{"web", 0}).live[0]
	for i := 1; i <= count; i++ {
		text := fmt.Appendf(nil, "%d\n", i)
		rec.add(record{at: int64(i), stream: stdout, text: text}, 1)
	}
	seen, missed := 0, uint64(0)
	for {
		l := next()
		seen++
		missed += l.Missed
		if l.Missed > 0 && l.Text != fmt.Sprint(int(missed)+seen) {
			t.Fatalf("%d seen, %d missed, then %q", seen, missed, l.Text)
		}
		if l.Text != fmt.Sprint(l.Number-1) {
			t.Fatalf("%q has the number %d", l.Text, l.Number)
		}
		if l.Text == fmt.Sprint(count) {
			break
		}
	}
	if missed == 0 || int(missed)+seen != count {
		t.Errorf("%d seen and %d missed of %d", seen, missed, count)
	}
}

func TestFollowEndsWithTheMux(t *testing.T) {
	h := newHouse(t)
	ended := make(chan int)
	go func() {
		n := 0
		for range h.Follow(context.Background(), Filter{}) {
			n++
		}
		ended <- n
	}()
	if err := h.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if n := <-ended; n != 0 {
		t.Errorf("%d lines", n)
	}
	if h.readers.Load() != nil {
		t.Error("it is still told")
	}
}

// Whatever is written in whatever pieces, what is kept is the end of it, in whole lines but the first.
func FuzzRecorder(f *testing.F) {
	f.Add([]byte("a\nb\n\nc"), uint16(2), uint16(9))
	f.Add([]byte("\n\n\n"), uint16(40000), uint16(3))
	f.Fuzz(func(t *testing.T, unit []byte, repeat, step uint16) {
		if len(unit) == 0 || len(unit)*int(repeat) > 1<<20 {
			return
		}
		m := New(Options{Stdout: 1, Stderr: 2})
		defer m.Close(t.Context())
		rec := m.source(place{"web", 0}).record(1, 0)
		all := strings.Repeat(string(unit), int(repeat))
		slow := &cursor{recorder: rec}
		for rest := all; rest != ""; {
			n := min(int(step)+1, len(rest))
			rec.add(record{at: 1, text: []byte(rest[:n])}, strings.Count(rest[:n], "\n"))
			rest = rest[n:]
		}
		var b strings.Builder
		lines := m.Recent(Filter{})
		for i, l := range lines {
			text := l.Text
			if i == 0 {
				text = strings.TrimPrefix(text, "…")
			}
			b.WriteString(text + "\n")
		}
		if got := b.String(); len(all) < keepSize/(headSize+1) && got != strings.TrimSuffix(all, "\n")+"\n" && all != "" {
			t.Fatalf("%q became %q", all, got)
		} else if !strings.HasSuffix(all+"\n", got) && !strings.HasSuffix(all, got) {
			t.Fatalf("the end of %q is %q", all, got)
		}
		var seen, missed uint64
		slow.read(nil, func(l Line) { seen++; missed += l.Missed })
		missed += slow.missed
		if want := uint64(strings.Count(all, "\n")); seen+missed != want && seen+missed != want+1 {
			t.Fatalf("%d seen, %d missed, of %d", seen, missed, want)
		}
	})
}
