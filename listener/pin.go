package listener

import (
	"fmt"
	"maps"
	"slices"

	"golang.org/x/net/bpf"
)

// maxCPU is above the 8192 that a kernel can be built for; see NR_CPUS in arch/x86/Kconfig.
const maxCPU = 1<<16 - 1

// Pin says which CPUs the worker of that place may run on, by the kernel's numbers;
// none if it may run on all. It counts from the next Steer. With the policy CPU a
// connection whose request arrived on a CPU goes to one of the members pinned to it,
// and if there are none to one that is not pinned, or else to any. While nobody is
// pinned the policy is the CPU modulo the number of members. For listeners that are
// not sharded it does nothing.
func (l *Listener) Pin(slot int, side Side, cpus []int) error {
	if l.mode != Sharded {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	s := l.table.at(Member{slot, side})
	if s == nil {
		return fmt.Errorf("cannot find slot %d side %s of listener %s", slot, side, l.cfg.Name)
	}
	for _, cpu := range cpus {
		if cpu < 0 || cpu > maxCPU {
			return fmt.Errorf("cannot pin slot %d of listener %s: CPU %d cannot be", slot, l.cfg.Name, cpu)
		}
	}
	s.cpus = slices.Clone(cpus)
	return nil
}

// nearby takes the target that is pinned to the CPU of the packet, any of them if there are several. CPUs with the same
// targets share the choice among them.
func nearby(all []target) []bpf.Instruction {
	homes, others := homesOf(all)
	choices := [][]target{others} // place 0 is where CPUs lead that nobody is pinned to
	var tree []span
	for _, cpu := range slices.Sorted(maps.Keys(homes)) {
		near := homes[cpu]
		if len(near) == 1 {
			tree = join(tree, cpu, span{from: cpu, to: cpu, offset: near[0].index})
			continue
		}
		place := slices.IndexFunc(choices[1:], func(c []target) bool { return sameTargets(c, near) }) + 1
		if place == 0 {
			place = len(choices)
			choices = append(choices, near)
		}
		tree = join(tree, cpu, span{from: cpu, to: cpu, scale: away + uint32(place)})
	}
	code := append([]bpf.Instruction{bpf.LoadExtension{Num: bpf.ExtCPUID}}, total(padded(tree))...)
	places := make([]int, len(choices))
	for i, c := range choices {
		places[i] = len(code)
		code = append(code, spread(bpf.ExtRand, c)...)
	}
	resolve(code, places)
	return code
}

// homesOf lists the targets of each CPU that somebody is pinned to, and those for all other CPUs.
func homesOf(all []target) (homes map[uint32][]target, others []target) {
	homes = map[uint32][]target{}
	for _, t := range all {
		if len(t.cpus) == 0 {
			others = append(others, t)
		}
		for _, cpu := range slices.Compact(slices.Sorted(slices.Values(t.cpus))) {
			homes[uint32(cpu)] = append(homes[uint32(cpu)], t)
		}
	}
	if len(others) == 0 {
		others = all
	}
	return homes, others
}

// join appends the span of one CPU, to the last one where they make one.
func join(tree []span, cpu uint32, s span) []span {
	if n := len(tree); n > 0 {
		last := &tree[n-1]
		switch {
		case s.scale < away && last.scale < away:
			if last.extend(cpu, s.offset) {
				return tree
			}
		case s.scale == last.scale && last.to+1 == cpu:
			last.to = cpu
			return tree
		}
	}
	return append(tree, s)
}

func sameTargets(a, b []target) bool {
	return slices.EqualFunc(a, b, func(x, y target) bool { return x.index == y.index })
}
