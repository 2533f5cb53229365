package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// diary writes down when what was said.
type diary struct {
	begin time.Time

	mu   sync.Mutex
	said []string
}

func (d *diary) say(tr Trouble) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.said = append(d.said, fmt.Sprintf("%s %d %t", time.Since(d.begin).Round(time.Second), tr.Lines, tr.Over))
}

func (d *diary) want(t *testing.T, want string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if got := strings.Join(d.said, "|"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// seconds lets time pass; each does something.
func seconds(n int, do func()) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for range n {
		do()
		<-tick.C
	}
	synctest.Wait()
}

func nothing() {}

// A trouble is said when it begins, once a minute while it goes on, and when it is over; each time with numbers.
func TestTroubleIsSaidSparingly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{begin: time.Now()}
		e := &episode{say: d.say}
		seconds(150, func() {
			e.met("stdout", nil, tally{lines: 2, bytes: 20})
			e.went("stdout")
		})
		seconds(20, nothing)
		e.met("stdout", io.ErrShortWrite, tally{lines: 1, bytes: 1})
		seconds(1, nothing)
		e.met("stdout", nil, tally{lines: 1, bytes: 1})
		synctest.Wait()
		e.close()
		e.met("stdout", nil, tally{lines: 1, bytes: 1})
		d.want(t, "0s 2 false|1m0s 122 false|2m0s 242 false|2m35s 300 true|2m50s 1 false|2m51s 2 false")
	})
}

// Where nobody writes nothing fails: that is no reason to say that all is well, nor to look at it every few seconds.
func TestTroubleIsOverWhenSomethingArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{begin: time.Now()}
		e := &episode{say: d.say}
		e.met("a", syscall.EPIPE, tally{lines: 1, bytes: 1})
		e.met("b", syscall.EPIPE, tally{lines: 1, bytes: 1})
		seconds(3600, nothing)
		if e.timer != nil {
			t.Error("somebody looks after an hour of silence")
		}
		e.met("a", syscall.EPIPE, tally{lines: 1, bytes: 1}) // nobody has heard of that one
		seconds(10, nothing)
		e.met("a", syscall.EPIPE, tally{lines: 1, bytes: 1}) // nor of this, for a minute
		seconds(90, nothing)
		e.went("a")
		seconds(100, nothing)
		e.went("b")
		seconds(100, nothing)
		e.went("b")
		e.close()
		d.want(t, "0s 2 false|1h0m0s 3 false|1h1m0s 4 false|1h3m25s 4 true")
	})
}

// What only waits is said, and when it begins to be lost that is said, too.
func TestWaitingThatBecomesLosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{begin: time.Now()}
		e := &episode{say: d.say}
		seconds(12, func() { e.met("f", syscall.ENOSPC, tally{}) })
		seconds(60, func() { e.met("f", syscall.ENOSPC, tally{lines: 1, bytes: 1}) })
		e.went("f")
		seconds(10, nothing)
		d.want(t, "0s 0 false|15s 4 false|1m15s 60 false|1m20s 60 true")
	})
}

// Our own log has nowhere to go: saying so there is of no use, over and over again.
func TestLogThatIsLostIsNoReasonToLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{begin: time.Now()}
		e := &episode{}
		e.say = func(tr Trouble) {
			d.say(tr)
			e.met("stderr", syscall.EPIPE, tally{lines: 1, bytes: 80, own: 80})
		}
		e.met("stderr", syscall.EPIPE, tally{lines: 1, bytes: 10})
		seconds(3600, nothing)
		d.want(t, "0s 1 false")
		if e.timer != nil {
			t.Error("it goes on")
		}
		e.close()
	})
}

// One consumer hangs until the end. What that costs is counted and said, and all others get everything.
func TestEndOfAStuckConsumer(t *testing.T) {
	var h *house
	reports := make(chan Trouble, 8)
	h = newHouse(t, func(o *Options) {
		o.Report = func(tr Trouble) {
			reports <- tr
			_, _ = fmt.Fprintf(h.Log(), "%s: %d lines, %v\n", tr.Where, tr.Lines, tr.Err)
		}
	})
	s := h.open(t, "web.0", Prefix)
	line := strings.Repeat("v", 99) + "\n"
	for range 10 {
		say(t, s.Stdout(), strings.Repeat(line, 600))
	}
	s.Spawned(1)
	s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("close: %v", err)
	}
	stat, tr := h.Stats()[0], <-reports
	if !errors.Is(tr.Err, errGaveUp) || tr.Lines != stat.LostLines || tr.Lines == 0 || tr.Bytes != stat.LostBytes || tr.Over {
		t.Errorf("%+v, %+v", tr, stat)
	}
	want := fmt.Sprintf("stdout: %d lines, %v\n", tr.Lines, errGaveUp)
	if got := read(t, h.err, len(want)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Trouble that was said is not said again by the next program, but that it is over.
func TestTroubleIsHandedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{begin: time.Now()}
		e := &episode{say: d.say, pool: "web"}
		e.met("web.log", syscall.ENOSPC, tally{})
		seconds(1, nothing)
		e.freeze()
		e.met("web.log", nil, tally{lines: 2, bytes: 20})
		seconds(100, nothing)
		handed, open := e.hand()
		if !open || len(d.said) != 1 {
			t.Fatalf("%+v", d.said)
		}
		m := &Mux{opt: Options{Report: d.say}, episodes: map[string]*episode{}}
		handed.Key = "web"
		m.restoreTrouble(&handed)
		next := m.episodeLocked("web", "web.log")
		seconds(1, nothing)
		next.went("web.log")
		seconds(100, nothing)
		d.want(t, "0s 0 false|1m46s 2 true")
	})
}
