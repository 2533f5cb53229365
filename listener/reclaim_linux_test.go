package listener

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// dies ends a house as SIGKILL would, and begins another with what a store kept: copies of all descriptors but those that
// lost names, and of the inherited ones.
func (h *house) dies(inherited []Inherited, lost func(l *HandedListener, fd int) bool) *house {
	h.t.Helper()
	handed, err := h.Hand()
	must(h.t, err)
	text, err := json.Marshal(handed)
	must(h.t, err)
	var kept []int
	for i := range handed.Listeners {
		l := &handed.Listeners[i]
		passed := map[int]bool{}
		for _, s := range l.sockets() {
			passed[s.FD] = s.Passed != nil
		}
		for _, d := range l.descriptors() {
			if !passed[d.FD] && (lost == nil || !lost(l, d.FD)) {
				kept = append(kept, copied(h.t, d.FD))
			}
		}
	}
	h.Leave()
	var again Handed
	must(h.t, json.Unmarshal(text, &again))
	for _, fd := range again.Descriptors() {
		*fd = 0 // they mean nothing any more
	}
	other := &house{t: h.t, events: make(chan Event, 4096)}
	other.Set, err = Reclaim(again, kept, inherited, options(h.t, other.events))
	must(h.t, err)
	h.t.Cleanup(func() { _ = other.Close() })
	return other
}

// TestReclaim: what waits when a process ends is served by the next one's workers, all of which begin on side A, wherever
// it waits; a pause has ended.
func TestReclaim(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	group := bound(t, "127.0.0.1:0", grouped)
	h := openWith(t, 3, []Inherited{{FD: copied(t, group), Name: "group"}},
		"web=127.0.0.1:0", "u=unix:"+dir+"/u", "udp=udp:127.0.0.1:0", fmt.Sprintf("each=127.0.0.1:%d,mode=per-slot", freePorts(t, 3)))
	web, u := h.listeners[0], h.listeners[1]
	must(t, web.Steer([]Member{{0, B}, {1, A}})) // slot 2 has no worker
	var waiting []net.Conn
	for _, m := range []Member{{0, B}, {1, A}, {2, B}, {2, A}, {2, B}} {
		conn, err := web.Dial(deadline(t), m.Slot, m.Side)
		must(t, err)
		waiting = append(waiting, conn)
	}
	inUnix, err := net.Dial("unix", dir+"/u")
	must(t, err)
	inGroup, err := dial(h.listeners[4].testTarget(), "")
	must(t, err)
	must(t, web.Pause())
	must(t, u.Pause())
	listeners := h.listeners

	h = h.dies([]Inherited{{FD: copied(t, group), Name: "group"}}, nil)
	if spares := h.Spare(nil); len(spares) != 1 || spares[0].Name != "group" {
		t.Errorf("spare are %v", spares)
	}
	opened := h.claims(listeners)
	web = opened[0]
	for slot := range 2 {
		must(t, web.Adopt(slot, A))
		serve(t, web, slot, A)
	}
	for range 8 {
		if who, err := ask(dial(web.testTarget(), "")); err != nil || who != "0A" && who != "1A" {
			t.Errorf("before anybody is steered to: %q, %v", who, err)
		}
	}
	must(t, web.Steer([]Member{{0, A}, {1, A}}))
	for i, conn := range waiting {
		who, err := ask(conn, nil)
		if err != nil || i < 2 && who != fmt.Sprintf("%dA", i) {
			t.Errorf("connection %d is served by %q, %v", i, who, err)
		}
	}
	if who, err := ask(dial(web.testTarget(), "")); err != nil { // not paused
		t.Errorf("a new connection: %q, %v", who, err)
	}
	serve(t, opened[1], 0, A)
	if who, err := ask(inUnix, nil); err != nil || who != "0A" {
		t.Errorf("who waited in the unix socket: %q, %v", who, err)
	}
	if who, err := ask(net.Dial("unix", dir+"/u")); err != nil || who != "0A" {
		t.Errorf("a new connection to the unix socket: %q, %v", who, err)
	}
	for slot := range 3 {
		must(t, opened[4].Adopt(slot, A))
		serve(t, opened[4], slot, A)
	}
	if who, err := ask(inGroup, nil); err != nil {
		t.Errorf("who waited in the group with systemd's: %q, %v", who, err)
	}
}

// TestReclaimDrops: what cannot be had again is told, closed, and can be opened.
func TestReclaimDrops(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	group := bound(t, "127.0.0.1:0", grouped)
	h := openWith(t, 2, []Inherited{{FD: copied(t, group), Name: "group"}},
		"kept=127.0.0.1:0", "short=127.0.0.1:0", "u=unix:"+dir+"/u", "lock=unix:"+dir+"/l")
	waiting, err := dial(h.listeners[1].testTarget(), "")
	must(t, err)
	defer waiting.Close()
	must(t, os.Remove(dir+"/u"))
	listeners := h.listeners
	again := bound(t, "127.0.0.1:0", grouped)
	h = h.dies([]Inherited{{FD: copied(t, again), Name: "group"}}, func(l *HandedListener, fd int) bool {
		return l.Config.Name == "short" && fd == l.Places[3].FD || l.Config.Name == "lock" && fd == l.File.Lock.FD
	})
	for want, err := range map[string]error{"short": errLost, "u": errFileGone, "lock": errLost, "group": errLost} {
		found := false
		for range 4 {
			ev := h.wait(EventDropped)
			h.events <- ev
			found = found || ev.Listener == want && errors.Is(ev.Err, err) && (want != "short" || ev.Count == 1)
		}
		if !found {
			t.Errorf("%s was not dropped as it should be", want)
		}
	}
	if left := h.Unclaimed(); len(left) != 1 || left[0].Name() != "kept" {
		t.Errorf("%d are left", len(left))
	}
	for _, l := range listeners {
		cfg := l.Config()
		if cfg.Address.Network == networkTCP {
			cfg.Address = l.Address()
		}
		if l.Name() == "kept" {
			cfg = l.Config()
		}
		if _, err := h.Open(wants(2, cfg)); err != nil {
			t.Error(err)
		}
	}
}

// TestReclaimNothing: descriptors that no description has are closed, also those that are no sockets.
func TestReclaimNothing(t *testing.T) {
	t.Parallel()
	null, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	must(t, err)
	stray := copied(t, bound(t, "127.0.0.1:0", exclusive))
	inode, err := descriptorOf(stray)
	must(t, err)
	set, err := Reclaim(Handed{}, []int{null, stray}, nil, options(t, nil))
	must(t, err)
	defer set.Close()
	if is, err := descriptorOf(stray); err == nil && is == inode {
		t.Error("the stray socket is open")
	}
	if len(set.Spare(nil))+len(set.Unclaimed()) != 0 {
		t.Error("there is something to be had")
	}
}
