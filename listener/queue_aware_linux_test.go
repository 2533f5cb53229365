package listener

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// eventually waits for what a goroutine of ours makes true and nobody tells.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	timeout := time.After(patience)
	for !holds() {
		select {
		case <-look.C:
		case <-timeout:
			t.Fatalf("%s never became true", what)
		}
	}
}

func waitIn(t testing.TB, l *Listener, slot int, side Side) net.Conn {
	t.Helper()
	conn, err := l.Dial(deadline(t), slot, side)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestBusyQueueIsLeftOut(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"random", "cpu"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			l := open(t, 3, "127.0.0.1:0,queue-aware=true,steer="+policy).first()
			waiting := waitIn(t, l, 2, A)
			eventually(t, "slot 2 is left out", func() bool { return l.Resteered() == 1 })
			serve(t, l, 0, A)
			serve(t, l, 1, A)
			for range 50 {
				if who, err := ask(dial(l.testTarget(), "")); err != nil || who == "2A" {
					t.Fatalf("got %q, %v, want another than the busy one", who, err)
				}
			}
			late := waitIn(t, l, 2, A) // lanes lead to those that are left out, too
			before := l.Resteered()
			serve(t, l, 2, A)
			for _, conn := range []net.Conn{waiting, late} {
				if who, err := ask(conn, nil); err != nil || who != "2A" {
					t.Errorf("got %q, %v, want 2A", who, err)
				}
			}
			eventually(t, "slot 2 is back", func() bool { return l.Resteered() > before })
			must(t, l.Steer([]Member{{2, A}}))
			if who, err := ask(dial(l.testTarget(), "")); err != nil || who != "2A" {
				t.Errorf("got %q, %v, want 2A", who, err)
			}
		})
	}
}

func TestAllBusyGetConnections(t *testing.T) {
	t.Parallel()
	l := open(t, 2, "127.0.0.1:0,queue-aware=true").first()
	waitIn(t, l, 0, A)
	eventually(t, "slot 0 is left out", func() bool { return l.Resteered() == 1 })
	waitIn(t, l, 1, A)
	eventually(t, "both are busy", func() bool { return l.Resteered() == 2 })
	for i := range 200 {
		conn, err := dial(l.testTarget(), "")
		must(t, err)
		defer conn.Close()
		a, err := l.Queue(0, A)
		must(t, err)
		b, err := l.Queue(1, A)
		must(t, err)
		if a.Length > 1 && b.Length > 1 {
			return
		}
		if i == 199 {
			t.Errorf("of two busy ones one is left out: %+v, %+v", a, b)
		}
	}
}

// TestLookoutSleeps counts looks: one for a connection that waits, none while nothing happens, and no more than time
// allows when many come.
func TestLookoutSleeps(t *testing.T) {
	t.Parallel()
	l := open(t, 1, "127.0.0.1:0").first()
	looks := make(chan []int32, 1000)
	o, err := newLookout(func(noticed []int32) outlook {
		looks <- slices.Clone(noticed)
		return outlook{glimpse: glimpse, glance: forEver}
	})
	must(t, err)
	defer o.close()
	o.follow([]*shard{l.shard(0, A)})
	quiet := func() {
		t.Helper()
		select {
		case <-looks:
			t.Error("a look while nothing happens")
		case <-time.After(glance):
		}
	}
	quiet()
	for range 2 {
		waitIn(t, l, 0, A)
		if noticed := <-looks; !slices.Contains(noticed, int32(l.FD(0, A))) {
			t.Errorf("%d are noticed", noticed)
		}
		quiet()
	}
	serve(t, l, 0, A)
	begin := time.Now()
	for range 500 {
		_, err = ask(dial(l.testTarget(), ""))
		must(t, err)
	}
	if most := int(time.Since(begin)/glimpse) + 2; len(looks) > most {
		t.Errorf("%d looks in %s, want %d at most", len(looks), time.Since(begin), most)
	}
}

// reference is what queue-aware steering comes to, in the simplest words.
type reference struct {
	t       *testing.T
	l       *Listener
	members []Member
	aware   bool
}

func (r *reference) length(m Member) int {
	q, err := r.l.Queue(m.Slot, m.Side)
	must(r.t, err)
	return q.Length
}

// eligible are the members that may get the next connection.
func (r *reference) eligible() []Member {
	var idle []Member
	for _, m := range r.members {
		if r.length(m) == 0 {
			idle = append(idle, m)
		}
	}
	if !r.aware || len(idle) == 0 {
		return r.members
	}
	return idle
}

func (r *reference) places() (all []Member) {
	for slot := range r.l.Slots() {
		all = append(all, Member{slot, A}, Member{slot, B})
	}
	return all
}

// awaits waits until so many connections are in queues: a handshake ends a moment after connect(2).
func (r *reference) awaits(n int) {
	r.t.Helper()
	eventually(r.t, fmt.Sprintf("%d connections in queues", n), func() bool {
		queued, err := r.l.Queued()
		return err == nil && queued == n
	})
}

// accept takes one connection out of a queue.
func (r *reference) accept(m Member) {
	r.t.Helper()
	conns, err := acceptUpTo(r.l.FD(m.Slot, m.Side), 1)
	must(r.t, err)
	for _, fd := range conns {
		must(r.t, unix.Close(fd))
	}
}

// check connects, and sees where the connection ends up.
func (r *reference) check(step string) {
	r.t.Helper()
	var all []int32
	for _, m := range r.places() {
		all = append(all, int32(r.l.FD(m.Slot, m.Side)))
	}
	queued, err := r.l.Queued()
	must(r.t, err)
	want := r.eligible()
	before := map[Member]int{}
	for _, m := range r.places() {
		before[m] = r.length(m)
	}
	if r.l.lookout != nil {
		r.l.look(all)
	}
	conn, err := dial(r.l.testTarget(), "")
	must(r.t, err)
	defer conn.Close()
	r.awaits(queued + 1)
	for m, n := range before {
		if r.length(m) == n {
			continue
		}
		if !slices.Contains(want, m) {
			r.t.Errorf("after %s: %v got a connection, want one of %v", step, m, want)
		}
		r.accept(m)
	}
}

// TestQueueAwareWalks takes random walks of members, queues, settings and accidents, with the lookout doing its part
// at any moment, and compares where connections go with the reference.
func TestQueueAwareWalks(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	h := open(t, 3, "127.0.0.1:0,queue-aware=true")
	l := h.first()
	r := &reference{t: t, l: l, members: slices.Clone(l.members), aware: true}
	for i := range 600 {
		places := r.places()
		at := places[random.IntN(len(places))]
		step := "nothing"
		switch random.IntN(12) {
		case 0, 1, 2:
			step = fmt.Sprint("a connection to ", at)
			queued, err := l.Queued()
			must(t, err)
			waitIn(t, l, at.Slot, at.Side)
			r.awaits(queued + 1)
		case 3, 4, 5:
			step = fmt.Sprint("an accept by ", at)
			r.accept(at)
		case 6, 7:
			random.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
			r.members = places[:1+random.IntN(len(places))]
			step = fmt.Sprint("steering to ", r.members)
			must(t, l.Steer(r.members))
		case 8:
			cfg := l.Config()
			cfg.QueueAware, cfg.Steer = random.IntN(3) > 0, []Policy{Random, CPU}[random.IntN(2)]
			r.aware = cfg.QueueAware
			step = fmt.Sprint("queue-aware=", cfg.QueueAware)
			must(t, l.Adjust(cfg))
		case 9:
			step = fmt.Sprint("a shutdown of ", at)
			must(t, unix.Shutdown(l.FD(at.Slot, at.Side), unix.SHUT_RDWR))
			h.wait(EventRevived)
		case 10:
			step = fmt.Sprint("a pause, and a connection to ", at)
			must(t, l.Pause())
			queued, err := l.Queued()
			must(t, err)
			waitIn(t, l, at.Slot, at.Side)
			r.awaits(queued + 1)
			must(t, l.Resume())
		case 11:
			step = "growth"
			must(t, l.Grow(min(l.Slots()+1, 6)))
		}
		r.check(step)
		if t.Failed() {
			t.Fatalf("in step %d of seed %d", i, seed)
		}
	}
	t.Logf("%d changes of the steering", l.Resteered())
}
