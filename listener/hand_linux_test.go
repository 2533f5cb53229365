package listener

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"
)

// handOver moves a house to another Set through JSON, with descriptors of other numbers, as into another process.
func (h *house) handOver() *house {
	h.t.Helper()
	handed, err := h.Hand()
	must(h.t, err)
	text, err := json.Marshal(handed)
	must(h.t, err)
	var again Handed
	must(h.t, json.Unmarshal(text, &again))
	if diff := cmp.Diff(handed, again, cmpopts.EquateComparable(), cmpopts.EquateEmpty()); diff != "" {
		h.t.Errorf("not what was written (-want +got)\n%s", diff)
	}
	for _, fd := range again.Descriptors() {
		*fd, err = unix.FcntlInt(uintptr(*fd), unix.F_DUPFD, 0)
		must(h.t, err)
	}
	h.Leave()
	other := &house{t: h.t, events: make(chan Event, 4096)}
	other.Set, err = Restore(again, options(h.t, other.events))
	must(h.t, err)
	h.t.Cleanup(func() { _ = other.Close() })
	return other
}

// claims opens what another Set had.
func (h *house) claims(before []*Listener) []*Listener {
	h.t.Helper()
	var all []Want
	for _, l := range before {
		all = append(all, Want{l.cfg, l.slots})
	}
	opened, err := h.Open(all)
	must(h.t, err)
	return opened
}

// TestHandOver: all kinds of listeners are described, made again and described again, and the descriptions are equal but
// for the numbers of descriptors.
func TestHandOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := openWith(t, 3, []Inherited{
		{FD: copied(t, bound(t, "127.0.0.1:0", grouped)), Name: "group"},
		{FD: copied(t, bound(t, "127.0.0.1:0", exclusive)), Name: "alone"},
	}, "web=127.0.0.1:0,steer=client-ip", "two=127.0.0.1:0", "six=[::1]:0", "one=127.0.0.1:0,mode=shared,backlog=77",
		"u=unix:"+dir+"/u", "abstract=unix:@"+dir, "udp=udp:127.0.0.1:0", fmt.Sprintf("each=127.0.0.1:%d,mode=per-slot", freePorts(t, 3)))
	spare := bound(t, "127.0.0.1:0", exclusive)
	p, err := examine(Inherited{FD: copied(t, spare), Name: "spare"})
	must(t, err)
	h.spare = append(h.spare, p)
	web, two := h.listeners[0], h.listeners[1]
	must(t, web.Steer([]Member{{2, B}, {0, A}}))
	must(t, web.Pin(2, B, []int{1}))
	must(t, web.Abandon(1, A))
	must(t, unix.Shutdown(two.FD(0, A), unix.SHUT_RDWR)) // moves indexes
	if ev := h.wait(EventRevived); ev.Slot != 0 {
		t.Errorf("%s", ev)
	}
	must(t, two.Grow(5))
	must(t, two.Pause())
	must(t, h.listeners[4].Pause())

	before, err := h.Hand()
	must(t, err)
	listeners := h.listeners
	h = h.handOver()
	after, err := h.Hand()
	must(t, err)
	numbers := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".FD" }, cmp.Ignore())
	if diff := cmp.Diff(before, after, numbers, cmpopts.EquateComparable(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("not what it was (-want +got)\n%s", diff)
	}

	if spares := h.Spare(nil); len(spares) != 3 { // two that listeners have which nobody has opened
		t.Errorf("spare are %v", spares)
	}
	opened := h.claims(listeners)
	if left := h.Unclaimed(); len(left) != 0 {
		t.Errorf("%d are left", len(left))
	}
	if spares := h.Spare(nil); len(spares) != 1 || spares[0].Name != "spare" {
		t.Errorf("spare are %v", spares)
	}
	for _, l := range opened[:3] {
		for slot := range l.Slots() {
			for side := range Side(sides) {
				must(t, l.Adopt(slot, side))
				served := serve(t, l, slot, side)
				if who, err := ask(l.Dial(deadline(t), slot, side)); err != nil || who != fmt.Sprintf("%d%s", slot, side) {
					t.Errorf("%s: slot %d side %s is served by %q, %v", l.Name(), slot, side, who, err)
				}
				served.stop()
			}
		}
	}
	if q, err := opened[1].Queues(); err != nil || !q.Paused {
		t.Errorf("the paused one: %+v, %v", q, err)
	}
	if _, err := net.Dial("unix", dir+"/u"); !errors.Is(err, unix.ENOENT) {
		t.Errorf("the paused file: %v", err)
	}
	must(t, opened[4].Resume())
	serve(t, opened[4], 0, A)
	if who, err := ask(net.Dial("unix", dir+"/u")); err != nil || who != "0A" {
		t.Errorf("through the file: %q, %v", who, err)
	}
	rival := &house{t: t, events: make(chan Event, 1)}
	if rival.Set, err = NewSet(nil, options(t, rival.events)); err != nil {
		t.Fatal(err)
	}
	defer rival.Close()
	for _, l := range opened {
		cfg := l.Config()
		if cfg.Address.Network == networkSystemd || cfg.Mode == PerSlot {
			continue
		}
		cfg.Address = l.Address()
		if _, err := rival.Open(wants(1, cfg)); !errors.Is(err, ErrInUse) && !errors.Is(err, unix.EADDRINUSE) {
			t.Errorf("somebody else opens %s: %v", cfg.Address, err)
		}
	}
	must(t, h.Close())
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func copied(t testing.TB, fd int) int {
	t.Helper()
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	must(t, err)
	return dup
}

// TestHandOverQueues: what waits in the queues at the hand-over is served or relayed afterwards.
func TestHandOverQueues(t *testing.T) {
	t.Parallel()
	h := open(t, 2, "127.0.0.1:0")
	var waiting []net.Conn
	for range 40 {
		conn, err := dial(h.first().testTarget(), "")
		must(t, err)
		waiting = append(waiting, conn)
	}
	late, err := h.first().Dial(deadline(t), 0, B)
	must(t, err)
	must(t, h.first().Abandon(0, A))
	must(t, h.first().Abandon(0, B))
	h.quiesces()
	listeners := h.listeners
	h = h.handOver()
	l := h.claims(listeners)[0]
	serve(t, l, 1, A)
	must(t, l.Steer([]Member{{1, A}}))
	for _, conn := range append(waiting, late) {
		if who, err := ask(conn, nil); err != nil || who != "1A" {
			t.Errorf("got %q, %v", who, err)
		}
	}
}

// TestHandOverRelays: connections that are being relayed go on in the next process, from byte to byte, and so they do when
// nobody takes over.
func TestHandOverRelays(t *testing.T) {
	t.Parallel()
	const much = 8 << 20
	h := open(t, 2, "127.0.0.1:0")
	must(t, h.first().Steer([]Member{{1, A}}))
	serveWith(t, h.first(), 1, A, func(conn net.Conn) {
		_, _ = io.Copy(conn, conn)
	})
	must(t, h.first().Abandon(0, A))
	results := make(chan error)
	for range 4 {
		conn, err := h.first().Dial(deadline(t), 0, A)
		must(t, err)
		go func() { results <- echo(conn, much) }()
	}
	for relayed := 0; relayed < 4; {
		relayed += h.wait(EventRelayed).Count
	}
	h.quiesces()
	late, err := h.first().Dial(deadline(t), 0, A) // waits
	must(t, err)
	h.Rouse()
	go func() { results <- echo(late, much) }()
	for range 5 {
		h.quiesces()
		listeners := h.listeners
		h = h.handOver()
		h.listeners = h.claims(listeners)
	}
	for range 5 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

func (h *house) quiesces() {
	h.t.Helper()
	if busy := h.Quiesce(deadline(h.t)); busy != 0 {
		h.t.Errorf("%d relays do not rest", busy)
	}
}

// echo sends n bytes and demands them back.
func echo(conn net.Conn, n int64) error {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	tcp, _ := conn.(*net.TCPConn)
	sum, sent := sha256.New(), make(chan error, 1)
	go func() {
		_, err := io.Copy(io.MultiWriter(conn, sum), io.LimitReader(rand.Reader, n))
		sent <- errors.Join(err, tcp.CloseWrite())
	}()
	got := sha256.New()
	m, err := io.Copy(got, conn)
	err = errors.Join(err, <-sent)
	if err != nil || m != n || !bytes.Equal(got.Sum(nil), sum.Sum(nil)) {
		return fmt.Errorf("got %d bytes of %d, or others: %w", m, n, err)
	}
	return nil
}
