package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// speaker is a worker of a relay, and what it has said.
type speaker struct {
	*worker
	label  string
	set    Settings
	whole  bool // it writes whole lines only
	said   [2][]string
	random *rand.Rand
}

// theLog is who speaks when our own log is written to.
const theLog = "log"

// speak writes so many lines, in pieces that end anywhere.
func (s *speaker) speak(t testing.TB, lines int, tick func()) {
	var text [2][]byte
	for i := range lines {
		which := s.random.IntN(2)
		size := s.random.IntN(80)
		if s.random.IntN(50) == 0 {
			size = s.random.IntN(3800)
		}
		line := fmt.Sprintf("%s %d %d %s.", s.label, which, i, strings.Repeat("x", size))
		s.said[which] = append(s.said[which], line)
		text[which] = append(append(text[which], line...), '\n')
		if s.random.IntN(3) == 0 && !s.whole {
			continue
		}
		n := len(text[which])
		if !s.whole {
			n = s.random.IntN(n + 1)
		}
		say(t, int([]*os.File{s.worker.out, s.worker.err}[which].Fd()), string(text[which][:n]))
		text[which] = text[which][n:]
		tick()
	}
	say(t, int(s.worker.out.Fd()), string(text[stdout]))
	say(t, int(s.worker.err.Fd()), string(text[stderr]))
	_ = s.worker.out.Close()
	_ = s.worker.err.Close()
}

// collector reads to the end, slowly, and pauses when it is told.
type collector struct {
	text []byte
	hold atomic.Pointer[chan struct{}]
}

func (c *collector) read(from *os.File, random *rand.Rand) {
	b := make([]byte, 8<<10)
	for {
		if hold := c.hold.Load(); hold != nil {
			<-*hold
		}
		n, err := from.Read(b[:1+random.IntN(len(b)-1)])
		c.text = append(c.text, b[:n]...)
		if err != nil {
			return
		}
	}
}

// relay is a house that is handed on again and again while its workers speak.
type relay struct {
	*house
	dir      string
	journal  *net.UnixConn
	speakers []*speaker
	streams  []*Stream
	found    map[string][]string // by worker and stream
}

func newRelay(t testing.TB, seed uint64) *relay {
	dir := t.TempDir()
	socket := filepath.Join(dir, "socket")
	r := &relay{dir: dir, journal: fakeJournald(t, socket), found: map[string][]string{}}
	r.house = newHouse(t, func(o *Options) { o.Journal = socket })
	file := func(name string, format Format) Settings {
		path := filepath.Join(dir, name)
		return Settings{Mode: File, File: FileSettings{Stdout: path, Stderr: path, Format: format, MaxSize: 16 << 10, Keep: 1000}}
	}
	for i, set := range []Settings{
		{Mode: Tail},
		{Mode: Prefix},
		{Mode: JSON, Backpressure: true},
		{Mode: Journald},
		{Mode: Tail, Backpressure: true},
		{Mode: Prefix, Backpressure: true},
		file("plain", Plain), file("shared", Prefixed), file("shared", Prefixed), file("objects", Objects),
	} {
		label := fmt.Sprintf("web.%d", i)
		s := &speaker{label: label, set: set, whole: set.Mode == Tail, random: rand.New(rand.NewPCG(seed, uint64(i)))}
		s.worker = r.start(t, label, set, 1000+i)
		r.speakers = append(r.speakers, s)
		r.streams = append(r.streams, s.Stream)
	}
	return r
}

// hand gives everything to the next Mux.
func (r *relay) hand(t testing.TB, wait time.Duration) {
	next, _ := handOn(t, r.house, wait)
	for i, s := range r.streams {
		r.streams[i] = next.adopt(t, s, r.speakers[i].label)
	}
	next.Settle()
	r.house = next
}

// pause is what happens when no other program comes.
func (r *relay) pause(t testing.TB, wait time.Duration) {
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	if _, err := r.Freeze(ctx); err != nil {
		t.Fatal(err)
	}
	r.Thaw()
}

// find takes a line that arrived.
func (r *relay) find(t testing.TB, line string) {
	t.Helper()
	label, rest, _ := strings.Cut(line, " ")
	which, _, ok := strings.Cut(rest, " ")
	if !ok {
		t.Fatalf("torn: %q", line)
	}
	r.found[label+which] = append(r.found[label+which], line)
}

func (r *relay) findObject(t testing.TB, line string) {
	t.Helper()
	var o struct{ Message string }
	if err := json.Unmarshal([]byte(line), &o); err != nil {
		t.Fatalf("torn: %q", line)
	}
	r.find(t, o.Message)
}

// findAll takes what the pipes and the files got.
func (r *relay) findAll(t testing.TB, pipes []byte) {
	t.Helper()
	for line := range bytes.Lines(pipes) {
		line := strings.TrimSuffix(string(line), "\n")
		if strings.HasPrefix(line, "{") {
			r.findObject(t, line)
			continue
		}
		if _, after, ok := strings.Cut(line, " | "); ok {
			line = after
		}
		r.find(t, line)
	}
	for _, name := range []string{"plain", "shared", "objects"} {
		full, err := filepath.Glob(filepath.Join(r.dir, name+".*"))
		if err != nil || len(full) == 0 {
			t.Errorf("%s was never full: %v", name, err)
		}
		slices.Sort(full)
		for _, path := range append(full, filepath.Join(r.dir, name)) {
			r.findAllIn(t, content(t, path))
		}
	}
}

func (r *relay) findAllIn(t testing.TB, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		_, after, ok := strings.Cut(line, " | ")
		switch {
		case strings.HasPrefix(line, "{"):
			r.findObject(t, line)
		case ok:
			r.find(t, after)
		default:
			r.find(t, line)
		}
	}
}

// Whatever is under way when the program is replaced, what workers write arrives once, in whole lines, and in order.
func TestNothingIsLostBetweenPrograms(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { tryRelay(t, seed) })
	}
}

func tryRelay(t *testing.T, seed uint64) {
	const lines, hands = 600, 6
	r := newRelay(t, seed)
	random := rand.New(rand.NewPCG(seed, 1000))
	var reading, speaking sync.WaitGroup
	var out, err collector
	var messages []string
	stdout, stderr, journal := r.out, r.err, r.journal
	reading.Go(func() { out.read(stdout, rand.New(rand.NewPCG(seed, 1001))) })
	reading.Go(func() { err.read(stderr, rand.New(rand.NewPCG(seed, 1002))) })
	reading.Go(func() {
		for {
			e := entry(t, journal)
			if e["MESSAGE"] == "end" {
				return
			}
			if e["SYSLOG_PID"] != "1003" {
				t.Errorf("of another worker: %v", e)
			}
			messages = append(messages, e["MESSAGE"])
		}
	})
	ticks, silent := make(chan struct{}), make(chan struct{})
	for _, s := range r.speakers {
		speaking.Go(func() {
			s.speak(t, lines, func() {
				select {
				case ticks <- struct{}{}:
				default:
				}
			})
		})
	}
	go func() { speaking.Wait(); close(silent) }()
	var logged []string
	for i := range hands {
		for range random.IntN(800) {
			select {
			case <-ticks:
			case <-silent:
			}
		}
		logged = append(logged, fmt.Sprintf("%s 0 %d", theLog, i))
		_, _ = fmt.Fprintln(r.Log(), logged[i])
		hold := make(chan struct{})
		wait := patience
		if random.IntN(2) == 0 {
			out.hold.Store(&hold)
			wait = time.Duration(random.IntN(5)) * time.Millisecond
		}
		if random.IntN(3) == 0 {
			r.pause(t, wait)
		} else {
			r.hand(t, wait)
		}
		out.hold.Store(nil)
		close(hold)
	}
	<-silent
	for _, s := range r.streams {
		s.Close()
	}
	r.end(t)
	_ = r.outW.Close()
	_ = r.errW.Close()
	c, dialErr := net.Dial("unixgram", r.opt.Journal)
	if dialErr != nil {
		t.Fatal(dialErr)
	}
	defer c.Close()
	if _, err := c.Write([]byte("MESSAGE=end\n")); err != nil {
		t.Fatal(err)
	}
	reading.Wait()
	r.findAll(t, append(out.text, err.text...))
	for _, m := range messages {
		r.find(t, m)
	}
	if got := r.found[theLog+"0"]; !slices.Equal(got, logged) {
		t.Errorf("our own log: %s", differ(got, logged))
	}
	r.compare(t)
}

// compare what was said with what was found, kept and counted.
func (r *relay) compare(t *testing.T) {
	stats := r.Stats()
	for i, s := range r.speakers {
		size, all := 0, 0 // the other stream may have pushed out all lines of one
		for which, said := range s.said {
			if got := r.found[fmt.Sprint(s.label, which)]; !slices.Equal(got, said) {
				t.Errorf("%s stream %d: %s", s.label, which, differ(got, said))
			}
			slot := i
			f := Filter{Slot: &slot, Stream: standard(which).String()}
			var kept []string
			for _, l := range r.Recent(f) {
				if l.PID != 1000+i {
					t.Fatalf("%+v", l)
				}
				kept = append(kept, l.Text)
			}
			if len(kept) > 0 && strings.HasPrefix(kept[0], "…") {
				kept = kept[1:]
			}
			if !slices.Equal(kept, said[len(said)-len(kept):]) {
				t.Errorf("%s stream %d: kept %d lines that are not the last", s.label, which, len(kept))
			}
			all += len(kept)
			for _, line := range said {
				size += len(line) + 1
			}
		}
		if tail := r.streams[i].Tail(1); len(tail) != 1 || !strings.HasPrefix(s.said[stderr][len(s.said[stderr])-1], strings.TrimSuffix(tail[0], "…")) {
			t.Errorf("%s: its last words were %q", s.label, tail)
		}
		if all == 0 {
			t.Errorf("%s: nothing is kept", s.label)
		}
		st := stats[i]
		if st.Lines != uint64(len(s.said[0])+len(s.said[1])) || st.Bytes != uint64(size) || st.LostLines != 0 {
			t.Errorf("%s: %+v of %d bytes", s.label, st, size)
		}
	}
}

func differ(got, want []string) string {
	for i, line := range want {
		if i >= len(got) || got[i] != line {
			return fmt.Sprintf("%d of %d lines, the %dth is %q, not %q", len(got), len(want), i, got[min(i, len(got)):min(i+1, len(got))], line)
		}
	}
	return fmt.Sprintf("%d lines too many", len(got)-len(want))
}
