package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/internal/poll"
	"github.com/broodctl/brood/internal/testhost"
	"github.com/broodctl/brood/listener"
)

// keeping is a Set whose sockets a manager keeps.
type keeping struct {
	keptSockets
	t       *testing.T
	manager *testhost.Manager
	log     bytes.Buffer
}

func keep(t *testing.T, limit int, known bool) *keeping {
	t.Helper()
	k := &keeping{t: t, manager: testhost.NewManager(t)}
	var err error
	if k.set, err = listener.NewSet(nil, options(t)); err != nil {
		t.Fatal(err)
	}
	if k.kept, err = newKept(k.set, k.manager.Address, zerolog.New(&k.log)); err != nil {
		t.Fatal(err)
	}
	k.kept.begin(func(context.Context) (int, bool) { return limit, known })
	return k
}

func options(t *testing.T) listener.Options {
	t.Helper()
	poller, err := poll.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = poller.Close() })
	return listener.Options{Poller: poller}
}

// opens opens a listener for two slots.
func (k *keeping) opens(flag string) *keptListener {
	k.t.Helper()
	cfg, err := listener.ParseFlag(flag)
	if err != nil {
		k.t.Fatal(err)
	}
	opened, err := k.Open([]listener.Want{{Config: cfg, Slots: 2}})
	if err != nil {
		k.t.Fatal(err)
	}
	l, _ := opened[0].(*keptListener)
	return l
}

// has demands so many descriptors with the manager, of the record and of others.
func (k *keeping) has(record, others int) {
	k.t.Helper()
	k.kept.settle()
	n := 0
	kept := k.manager.Kept()
	for name, fds := range kept {
		if name != recordName {
			n += len(fds)
		}
	}
	if n != others || len(kept[recordName]) != record {
		k.t.Errorf("the manager keeps %d and %d of the record, want %d and %d", n, len(kept[recordName]), others, record)
	}
}

// next is what the next process finds: copies of what the manager keeps.
func (k *keeping) next() found {
	k.t.Helper()
	var stored []listener.Inherited
	for name, fds := range k.manager.Kept() {
		for _, fd := range fds {
			dup, err := syscall.Dup(fd)
			if err != nil {
				k.t.Fatal(err)
			}
			stored = append(stored, listener.Inherited{FD: dup, Name: name})
		}
	}
	return readStore(stored)
}

// TestKept: the manager has what there is, and the next process finds it, also after an upgrade in between.
func TestKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k := keep(t, 100, true)
	defer func() { k.kept.end() }() // another one, by then
	k.has(0, 0)
	web, u := k.opens("web=127.0.0.1:0"), k.opens("u=unix:"+dir+"/u")
	k.has(2, 4+2)
	must(t, web.Grow(3))
	k.has(2, 6+2)
	for slot := range 3 {
		if !web.Outlives(slot, listener.A) || !web.Outlives(slot, listener.B) {
			t.Errorf("the manager has the sockets of slot %d, and it is not known", slot)
		}
	}
	must(t, u.Close())
	k.has(2, 6)

	k.kept.Pause(t.Context())
	data, fds, err := k.kept.Hand(t.Context(), nil)
	must(t, err)
	if len(fds) != recordFiles {
		t.Errorf("handed are %v", fds)
	}
	text, err := json.Marshal(data)
	must(t, err)
	var handed storeHanded
	must(t, json.Unmarshal(text, &handed))
	again, err := newKept(k.set, k.manager.Address, zerolog.New(&k.log))
	must(t, err)
	again.restore(handed)
	again.begin(func(context.Context) (int, bool) { t.Error("asked again"); return 0, true })
	k.kept.store.Close()
	k.kept = again
	udp := k.opens("udp=udp:127.0.0.1:0")
	k.has(2, 6+4)
	must(t, udp.Close())
	k.opens("udp=" + udp.Address().String()) // which the manager must have let go
	k.has(2, 6+4)

	f := k.next()
	if len(f.files) != 10 || len(f.names) != 10 || f.record == nil || f.last < 3 {
		t.Errorf("found are %+v", f)
	}
	set, err := listener.Reclaim(f.left, f.files, nil, options(t))
	must(t, err)
	defer set.Leave()
	var names []string
	for _, l := range set.Unclaimed() {
		names = append(names, l.Name())
	}
	if strings.Join(names, " ") != "web udp" {
		t.Errorf("found are %q", names)
	}
	f.record.Close()
}

// TestKeptRoom: what does not fit is said, with the number that is needed, and what fits is kept.
func TestKeptRoom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tests := map[string]struct {
		limit          int
		known          bool
		record, others int
		says           string
		file           bool // the file of the unix socket is left
		outlives       bool // it is known that the sockets of web outlive us
	}{
		"enough":    {8, true, 2, 6, "", true, true},
		"small":     {7, true, 2, 4, `"needed":8,"room":7,"listeners":["u"]`, false, true},
		"smaller":   {5, true, 2, 2, `"needed":8,"room":5,"listeners":["web"]`, true, false},
		"too small": {3, true, 0, 0, `"needed":8,"room":3,"listeners":["web","u"]`, false, false},
		"not asked": {0, true, 0, 0, "has no FileDescriptorStoreMax=", false, false},
		"unknown":   {0, false, 2, 6, "", false, false},
	}
	for name, tt := range tests {
		k := keep(t, tt.limit, tt.known)
		path := dir + "/" + strings.ReplaceAll(name, " ", "-")
		web := k.opens("web=127.0.0.1:0")
		k.opens("u=unix:" + path)
		k.has(tt.record, tt.others)
		if web.Outlives(1, listener.B) != tt.outlives {
			t.Errorf("%s: the sockets of web outlive us: %v", name, !tt.outlives)
		}
		k.kept.end()
		if said := k.log.String(); !strings.Contains(said, tt.says) || tt.says == "" && said != "" {
			t.Errorf("%s: it says %q", name, said)
		}
		var st syscall.Stat_t
		if err := syscall.Lstat(path, &st); (err == nil) != tt.file || err != nil && !errors.Is(err, syscall.ENOENT) {
			t.Errorf("%s: the file is left: %v", name, err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
