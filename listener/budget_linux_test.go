package listener

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// withLimit runs f while the process may have only so many descriptors more than it has. Nothing may run beside it.
func withLimit(t *testing.T, more int, f func()) {
	t.Helper()
	used, err := descriptors()
	must(t, err)
	var limit unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	defer func() { must(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)) }()
	must(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: used + uint64(more), Max: limit.Max}))
	f()
}

// scarce fails for what is not an *OpenError that tells about descriptors.
func scarce(t *testing.T, name string, err error) {
	t.Helper()
	var open *OpenError
	if !errors.As(err, &open) || !errors.Is(err, unix.EMFILE) || !strings.Contains(open.Hint(), "LimitNOFILE") {
		t.Errorf("%s: %v", name, err)
	}
}

func TestTooFewDescriptorsAreRefusedBeforehand(t *testing.T) { // not parallel: it changes the limit
	dir := t.TempDir()
	tests := []struct {
		name   string
		flags  []string
		slots  int
		needed int
	}{
		{"sharded", []string{"127.0.0.1:0"}, 10, 2*10 + 12*10 + 32},
		{"two sharded", []string{"127.0.0.1:0", "b=127.0.0.1:0"}, 10, 4*10 + 12*10 + 32},
		{"shared", []string{"127.0.0.1:0,mode=shared"}, 10, 1 + 12*10 + 32},
		{"unix and UDP", []string{"u=unix:" + dir + "/u", "d=udp:127.0.0.1:0"}, 3, 1 + 2*3 + 12*3 + 32},
	}
	for _, tt := range tests {
		opt := options(t, make(chan Event, 1))
		before := sockets(t)
		withLimit(t, tt.needed-1, func() {
			_, _, err := openSet(configs(t, tt.flags...), nil, tt.slots, opt)
			scarce(t, tt.name, err)
			if said := fmt.Sprintf("%d more descriptors", tt.needed); err == nil || !strings.Contains(err.Error(), said) {
				t.Errorf("%s: %v does not say %q", tt.name, err, said)
			}
		})
		noneLeaked(t, before, tt.name)
		withLimit(t, tt.needed, func() {
			set, _, err := openSet(configs(t, tt.flags...), nil, tt.slots, opt)
			if err != nil {
				t.Errorf("%s: refused what suffices: %v", tt.name, err)
				return
			}
			must(t, set.Close())
		})
	}
}

func TestGrowRefusesBeforehand(t *testing.T) { // not parallel: it changes the limit
	h := open(t, 2, "127.0.0.1:0", "s=127.0.0.1:0,mode=shared")
	before := sockets(t)
	const needed = 2*10 + 12*10 + 32
	withLimit(t, needed-1, func() {
		scarce(t, "Grow", h.first().Grow(12))
		noneLeaked(t, before, "Grow")
		must(t, h.first().Grow(2)) // what is there takes nothing
	})
	withLimit(t, needed, func() { must(t, h.first().Grow(12)) })
}

// TestGrowFailsHalfWay is about a limit that another part of the process reaches at the same time.
func TestGrowFailsHalfWay(t *testing.T) { // not parallel: it takes all descriptors
	for _, flag := range []string{"127.0.0.1:0", "udp:127.0.0.1:0"} {
		h := open(t, 2, flag)
		l := h.first()
		before, _ := descriptors()
		withLimit(t, 20, func() { scarce(t, flag, l.Grow(100)) })
		if after, _ := descriptors(); after != before || len(l.table.spare) != 0 || len(l.group) != 4 {
			t.Errorf("%s: %d descriptors before and %d after, %d spare, group of %d", flag, before, after, len(l.table.spare), len(l.group))
		}
		must(t, h.first().Grow(20))
		must(t, l.Steer([]Member{{0, A}, {19, B}}))
		if l.Datagram() {
			continue
		}
		for slot := range 20 {
			serve(t, l, slot, A)
			serve(t, l, slot, B)
		}
		exact(t, l, 20)
	}
}
