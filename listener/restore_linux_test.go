package listener

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestTakeOverRefuses: what is not what it was is named, nothing is taken, and nothing has happened to it.
func TestTakeOverRefuses(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/u"
	h := open(t, 2, "web=127.0.0.1:0", "one=127.0.0.1:0,mode=shared", "u=unix:"+path)
	other := open(t, 2, "web=127.0.0.1:0")
	stranger, err := other.Hand()
	must(t, err)
	good, err := h.Hand()
	must(t, err)
	text, err := json.Marshal(good)
	must(t, err)
	tests := map[string]struct {
		spoil func(h *Handed)
		says  string
		is    error
	}{
		"closed":          {func(h *Handed) { h.Listeners[0].Places[1].FD = 1 << 20 }, "descriptor 1048576", unix.EBADF},
		"twice":           {func(h *Handed) { h.Listeners[0].Places[1].FD = h.Listeners[0].Places[0].FD }, "not one of its own", nil},
		"negative":        {func(h *Handed) { h.Listeners[0].Places[1].FD = -1 }, "not one of its own", nil},
		"another socket":  {func(h *Handed) { h.Listeners[0].Places[1].FD = stranger.Listeners[0].Places[1].FD }, "descriptor", errStranger},
		"another address": {func(h *Handed) { h.Listeners[0].Places[1] = stranger.Listeners[0].Places[1] }, "listener web", errStranger},
		"no group":        {func(h *Handed) { h.Listeners[1].Mode, h.Listeners[0].Mode = Sharded, Shared }, "listener web", nil},
		"swapped": {func(h *Handed) {
			h.Listeners[1].Single, h.Listeners[2].Single = h.Listeners[2].Single, h.Listeners[1].Single
		}, "listener one", errStranger},
		"another lock":      {func(h *Handed) { h.Listeners[2].File.Lock.FD = 0 }, "descriptor 0", errStranger},
		"another file":      {func(h *Handed) { h.Listeners[2].File.Path = "/etc/passwd" }, "listener u", nil},
		"a hole":            {func(h *Handed) { h.Listeners[0].Places[3].Index = 9 }, "index 9", nil},
		"an index twice":    {func(h *Handed) { h.Listeners[0].Places[3].Index = 0 }, "index 0", nil},
		"a place twice":     {func(h *Handed) { h.Listeners[0].Places[3].Member = Member{0, A} }, "slot 0 side A", nil},
		"a place too many":  {func(h *Handed) { h.Listeners[0].Places[3].Slot = 2 }, "slot 2 side B", nil},
		"steered to nobody": {func(h *Handed) { h.Listeners[0].Members = nil }, "nobody", nil},
		"steered elsewhere": {func(h *Handed) { h.Listeners[0].Members = []Member{{7, A}} }, "slot 7", nil},
		"no slots":          {func(h *Handed) { h.Listeners[1].Slots = 0 }, "listener one", errNoSlots},
		"no name":           {func(h *Handed) { h.Listeners[1].Config.Name = "" }, "name", nil},
		"no mode":           {func(h *Handed) { h.Listeners[1].Mode = Auto }, "mode auto", nil},
		"spare of nobody":   {func(h *Handed) { h.Spare = append(h.Spare, *h.Listeners[1].Single) }, "nobody passed it", nil},
	}
	for name, tt := range tests {
		var bad Handed
		must(t, json.Unmarshal(text, &bad))
		tt.spoil(&bad)
		_, err := Restore(bad, options(t, nil))
		if err == nil || !strings.Contains(err.Error(), tt.says) || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%s: %v, want one that says %q", name, err, tt.says)
		}
	}
	serve(t, h.first(), 1, A)
	if who, err := ask(h.first().Dial(deadline(t), 1, A)); err != nil || who != "1A" {
		t.Errorf("afterwards: %q, %v", who, err)
	}
}

// TestTakeOverRevives: a worker that shuts its socket down between two processes does not hinder the second.
func TestTakeOverRevives(t *testing.T) {
	t.Parallel()
	h := open(t, 3, "127.0.0.1:0")
	handed, err := h.Hand()
	must(t, err)
	for _, fd := range handed.Descriptors() {
		*fd, err = unix.FcntlInt(uintptr(*fd), unix.F_DUPFD, 0)
		must(t, err)
	}
	h.Leave()
	must(t, unix.Shutdown(handed.Listeners[0].Places[2].FD, unix.SHUT_RDWR))
	other := &house{t: t, events: make(chan Event, 64)}
	other.Set, err = Restore(handed, options(t, other.events))
	must(t, err)
	defer other.Close()
	if ev := other.wait(EventRevived); ev.Slot != 1 || ev.Side != A {
		t.Errorf("%s", ev)
	}
	l := other.claims(h.listeners)[0]
	for slot := range l.Slots() {
		serve(t, l, slot, A)
		if who, err := ask(l.Dial(deadline(t), slot, A)); err != nil || who != fmt.Sprintf("%dA", slot) {
			t.Errorf("slot %d answers %q, %v", slot, who, err)
		}
	}
}

// TestUnclaimed: what nobody wants any more can be closed, and gives way to what is wanted on its address.
func TestUnclaimed(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/u"
	h := open(t, 2, "kept=127.0.0.1:0", "moved=127.0.0.1:0", "gone=127.0.0.1:0", "u=unix:"+path)
	waiting, err := dial(h.listeners[1].testTarget(), "")
	must(t, err)
	defer waiting.Close()
	before := h.listeners
	h = h.handOver()
	moved := before[1].Config()
	moved.Address, moved.Mode, moved.QueueAware = before[1].Address(), Shared, false
	kept := before[0].Config()
	kept.Name, kept.Backlog = "renamed", 33
	opened, err := h.Open([]Want{{kept, 4}, {moved, 2}})
	must(t, err)
	if ev := h.wait(EventDropped); ev.Listener != "moved" || ev.Count != 1 {
		t.Errorf("%s", ev)
	}
	if q, err := opened[0].Queue(3, B); err != nil || q.Backlog != 33 || opened[0].Name() != "renamed" {
		t.Errorf("%s has %+v, %v", opened[0].Name(), q, err)
	}
	serve(t, opened[1], 0, A)
	if who, err := ask(dial(opened[1].testTarget(), "")); err != nil || who != "0A" {
		t.Errorf("the moved one answers %q, %v", who, err)
	}
	for _, l := range h.Unclaimed() {
		must(t, l.Close())
	}
	if left := h.Unclaimed(); len(left) != 0 {
		t.Errorf("%d are left", len(left))
	}
	h.opens(2, "gone="+before[2].Address().String())
	h.opens(1, "u=unix:"+path)
}

// TestTakeOverThousand: the time that a thousand slots take.
func TestTakeOverThousand(t *testing.T) {
	t.Parallel()
	const many = 1000
	h := open(t, many, "127.0.0.1:0")
	start := time.Now()
	handed, err := h.Hand()
	must(t, err)
	text, err := json.Marshal(handed)
	must(t, err)
	described := time.Since(start)
	var again Handed
	must(t, json.Unmarshal(text, &again))
	for _, fd := range again.Descriptors() {
		*fd, err = unix.FcntlInt(uintptr(*fd), unix.F_DUPFD_CLOEXEC, 0)
		must(t, err)
	}
	h.Leave()
	start = time.Now()
	other := &house{t: t, events: make(chan Event, 64)}
	other.Set, err = Restore(again, options(t, other.events))
	must(t, err)
	defer other.Close()
	l := other.claims(h.listeners)[0]
	t.Logf("%d sockets: described in %s by %d KiB, taken over in %s", sides*many, described, len(text)>>10, time.Since(start))
	serve(t, l, many-1, B)
	if who, err := ask(l.Dial(deadline(t), many-1, B)); err != nil || who != "999B" {
		t.Errorf("got %q, %v", who, err)
	}
}

// FuzzTakeOver: whatever a description says, it is refused or taken, and descriptors that it does not know are left alone.
func FuzzTakeOver(f *testing.F) {
	h := open(f, 2, "web=127.0.0.1:0,steer=client-ip", "u=unix:"+f.TempDir()+"/u", "udp=udp:127.0.0.1:0", fmt.Sprintf("each=127.0.0.1:%d,mode=per-slot", freePorts(f, 2)))
	handed, err := h.Hand()
	must(f, err)
	for _, d := range handed.descriptors() {
		d.Inode++ // or a fuzzed copy would take over what is open
	}
	text, err := json.Marshal(handed)
	must(f, err)
	f.Add(text)
	handed.Listeners = handed.Listeners[3:]
	text, err = json.Marshal(handed)
	must(f, err)
	f.Add(text)
	opt := options(f, nil)
	f.Fuzz(func(t *testing.T, text []byte) {
		var h Handed
		if json.Unmarshal(text, &h) != nil {
			return
		}
		before := h.Descriptors()
		set, err := Restore(h, opt)
		if err != nil {
			return
		}
		if len(before) != 0 {
			t.Errorf("%d descriptors were taken", len(before))
		}
		must(t, set.Close())
	})
}
