//go:build e2e

package e2e

import (
	"strconv"
	"syscall"
	"time"

	"github.com/broodctl/brood/internal/testetcd"
)

// fault is one kind. It does nothing where it means nothing, and says so.
type fault struct {
	name string
	of   int // so many of all
	do   func(m *mate) bool
}

func (f *faulty) faults() []fault {
	return []fault{
		{"brood killed", 3, f.killBrood},
		{"brood frozen", 4, f.freezeBrood},
		{"brood cut off", 3, func(m *mate) bool { return f.cutOff(m, (*testetcd.Way).Cut) }},
		{"answers cut off", 2, func(m *mate) bool { return f.cutOff(m, (*testetcd.Way).CutAnswers) }},
		{"brood stopped", 2, f.stopBrood},
		{"worker that leads killed", 2, f.killLeader},
		{"upgrade", 2, func(m *mate) bool { return f.ask(m, "upgrade") }},
		{"rollout", 2, func(m *mate) bool { return f.ask(m, "roll") }},
		{"scaled", 2, func(m *mate) bool { return f.ask(m, "scale", strconv.Itoa(1+f.random.IntN(4))) }},
		{"leader of etcd killed", 2, f.killMember},
		{"member of etcd frozen", 1, f.freezeMember},
		{"all of etcd restarted", 1, f.restartEtcd},
		{"everything restarted", 1, f.restartAll},
	}
}

// round is one of the faults that have their time taken, many at once, the end of them, and a range that is full.
func (f *faulty) round(n int) {
	f.t.Helper()
	f.succession()
	for range n - 2 {
		f.inject()
		f.pass(f.pause())
	}
	f.converge()
	f.fill()
}

// pause is short, so that much is broken at once, and now and then long enough for others to take what was lost.
func (f *faulty) pause() time.Duration {
	if f.random.IntN(6) == 0 {
		return f.some(3 * fleetLease)
	}
	return 50*time.Millisecond + f.some(250*time.Millisecond)
}

// some is a time up to one.
func (f *faulty) some(d time.Duration) time.Duration { return time.Duration(f.random.Int64N(int64(d))) }

// long is a time in which claims are lost, most of the time.
func (f *faulty) long() time.Duration { return fleetLease*3/4 + f.some(f.longest-fleetLease*3/4) }

func (f *faulty) inject() {
	f.t.Helper()
	var all []fault
	for _, k := range f.faults() {
		for range k.of {
			all = append(all, k)
		}
	}
	for {
		m := f.mates[f.random.IntN(len(f.mates))]
		if f.random.IntN(3) == 0 {
			m = f.leading(m)
		}
		if k := all[f.random.IntN(len(all))]; k.do(m) {
			f.did[k.name]++
			return
		}
	}
}

func (f *faulty) killBrood(m *mate) bool {
	if m.b == nil {
		return false
	}
	f.kill(m)
	f.later(f.some(fleetLease), func() { f.begin(m) })
	return true
}

func (f *faulty) freezeBrood(m *mate) bool {
	b := m.b
	if b == nil || m.frozen {
		return false
	}
	_ = b.cmd.Process.Signal(syscall.SIGSTOP)
	m.frozen = true
	f.later(f.long(), func() {
		if m.b == b {
			_ = b.cmd.Process.Signal(syscall.SIGCONT)
			m.frozen = false
		}
	})
	return true
}

func (f *faulty) cutOff(m *mate, cut func(*testetcd.Way)) bool {
	if m.cut {
		return false
	}
	m.cut = true
	for _, w := range m.ways {
		cut(w)
	}
	f.later(f.long(), func() {
		for _, w := range m.ways {
			w.Join()
		}
		m.cut = false
	})
	return true
}

func (f *faulty) stopBrood(m *mate) bool {
	b := m.b
	if b == nil || m.frozen {
		return false
	}
	f.errand(b, "stop")
	m.b = nil
	f.later(f.some(fleetLease/2), func() {
		if code := b.code(); code != 0 {
			f.t.Errorf("%s stopped with %d", m.name, code)
		}
		f.begin(m)
	})
	return true
}

func (f *faulty) killLeader(*mate) bool {
	last, leads := lastLeader(f.uses())
	return leads && syscall.Kill(last.pid, syscall.SIGKILL) == nil
}

func (f *faulty) ask(m *mate, words ...string) bool {
	if m.b == nil || m.frozen {
		return false
	}
	f.errand(m.b, words...)
	return true
}

func (f *faulty) killMember(*mate) bool {
	i := max(f.cluster.Leader(), 0)
	f.cluster.Kill(i)
	f.later(f.some(fleetLease/2), func() { f.restartMember(i) })
	return true
}

// restartMember begins one that may have been begun meanwhile.
func (f *faulty) restartMember(i int) {
	f.cluster.Kill(i)
	f.cluster.Begin(i)
}

func (f *faulty) freezeMember(*mate) bool {
	i := f.random.IntN(len(f.cluster.Endpoints()))
	f.cluster.Freeze(i)
	f.later(f.some(fleetLease), func() { f.cluster.Thaw(i) })
	return true
}

func (f *faulty) restartEtcd(*mate) bool {
	for i := range f.cluster.Endpoints() {
		f.restartMember(i)
	}
	return true
}

func (f *faulty) restartAll(*mate) bool {
	for _, m := range f.mates {
		if m.b != nil {
			f.kill(m)
			f.later(0, func() { f.begin(m) })
		}
	}
	return f.restartEtcd(nil)
}
