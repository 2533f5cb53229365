package units

import (
	"math"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/listener"
)

const (
	// leastFiles is what the unit in contrib has.
	leastFiles = 65535
	// filesPerSlot and headroom are as package listener counts them: the notify socket, the pipes, the pidfd and the
	// files of the control group of a slot, each twice during a rollout; clients of the control socket, relays, reads of /proc.
	filesPerSlot = 12
	headroom     = 64
	// memlock is the soft limit that systemd gives by itself.
	memlock = 8 << 20
)

// files is how many descriptors brood needs, with as many slots again for a scale.
func (d *draft) files() uint64 {
	n := headroom
	for i := range d.cfg.Listeners {
		l := &d.cfg.Listeners[i]
		switch {
		case l.Mode == listener.PerSlot:
		case l.Mode == listener.Shared, l.Address.Network == networkUnix:
			n++
		default:
			n += 2 * 2 * d.slots(l)
		}
	}
	for i := range d.cfg.Pools {
		n += 2 * filesPerSlot * d.cfg.Pools[i].MostWorkers()
	}
	return uint64(n)
}

const (
	// leastStored is room for a few workers and more addresses.
	leastStored = 64
	// mostStored is what brood stores at most.
	mostStored = 8192
)

// stored is how many descriptors systemd is to keep for brood: two sockets a slot, for a unix socket its lock too, and two
// that say what the others are. There is room for as many slots again; 0 if there is nothing to keep.
func (d *draft) stored() int {
	n := 0
	for i := range d.cfg.Listeners {
		l := &d.cfg.Listeners[i]
		switch {
		case l.Mode == listener.PerSlot:
		case l.Mode == listener.Shared, l.Address.Network == networkUnix:
			n += 2
		default:
			n += 2 * 2 * d.slots(l)
		}
	}
	if n == 0 {
		return 0
	}
	room := leastStored
	for room < n+2 && room < mostStored {
		room *= 2
	}
	return room
}

// keeping has systemd keep the sockets that brood opens.
func (d *draft) keeping(u *unit) {
	if room := d.stored(); room > 0 {
		u.why("systemd keeps brood's sockets, so that who waits in them is served after a restart or a crash of brood.")
		u.set("FileDescriptorStoreMax", room)
	}
}

// limits lets brood set those of its pools: without a capability it can lower a hard limit and not raise it.
func (d *draft) limits(u *unit) {
	hard := map[int]uint64{}
	for i := range d.cfg.Pools {
		for _, l := range d.cfg.Pools[i].Limits {
			hard[l.Resource] = max(hard[l.Resource], l.Hard)
		}
	}
	u.why("Two sockets a slot and some descriptors a worker for brood. Workers inherit it, unless their pool says nofile.")
	u.set("LimitNOFILE", limit(max(leastFiles, d.files(), hard[unix.RLIMIT_NOFILE])))
	if _, ok := hard[unix.RLIMIT_NPROC]; ok {
		u.why("So that pools can set what they say; TasksMax= bounds all of it together.")
		u.set("LimitNPROC", "infinity")
	}
	if most, ok := hard[unix.RLIMIT_MEMLOCK]; ok && most > memlock {
		u.why("So that pools can set what they say; the others keep systemd's default.")
		u.set("LimitMEMLOCK", limit(memlock)+":"+limit(most))
	}
}

// delegation gives brood the subtree of control groups below its own.
func (d *draft) delegation(u *unit) {
	u.why("For a control group for each worker: its limits, and an end that reaches every process of it.")
	u.set("Delegate", "yes")
}

func limit(n uint64) string {
	if n == math.MaxUint64 {
		return "infinity"
	}
	return strconv.FormatUint(n, 10)
}
