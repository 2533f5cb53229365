package listener

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/net/bpf"
	"pgregory.net/rapid"
)

// packet is what a program can ask about.
type packet struct {
	source netip.AddrPort
	random uint32
	cpu    uint32
}

// header is the IP header, with the ports behind it.
func (p packet) header() []byte {
	ip := p.source.Addr()
	var h []byte
	if ip.Is4() {
		h = make([]byte, 40)
		h[0] = 0x45
		copy(h[12:], ip.AsSlice())
		binary.BigEndian.PutUint16(h[20:], p.source.Port())
		return h
	}
	h = make([]byte, 60)
	h[0] = 0x60
	copy(h[8:], ip.AsSlice())
	binary.BigEndian.PutUint16(h[40:], p.source.Port())
	return h
}

// run is the kernel's interpreter for the instructions that programs are made of. bpf.VM knows neither the extensions
// nor loads relative to the IP header.
func run(t testing.TB, code []bpf.RawInstruction, p packet) (index uint32, steps int) {
	t.Helper()
	h := p.header()
	var a, x uint32
	for pc := 0; pc < len(code); pc++ {
		steps++
		switch i := code[pc].Disassemble().(type) {
		case bpf.LoadAbsolute:
			a = load(h[i.Off-netOff:], i.Size)
		case bpf.LoadExtension:
			a = map[bpf.Extension]uint32{bpf.ExtRand: p.random, bpf.ExtCPUID: p.cpu}[i.Num]
		case bpf.ALUOpConstant:
			a = alu(t, i.Op, a, i.Val)
		case bpf.ALUOpX:
			a = alu(t, i.Op, a, x)
		case bpf.TAX:
			x = a
		case bpf.Jump:
			pc += int(i.Skip)
		case bpf.JumpIf:
			if holds(t, i, a) {
				pc += int(i.SkipTrue)
			} else {
				pc += int(i.SkipFalse)
			}
		case bpf.RetA:
			return a, steps
		case bpf.RetConstant:
			return i.Val, steps
		case bpf.RawInstruction: // x/net takes loads at SKF_NET_OFF for extensions it does not know
			a = load(h[i.K-netOff:], map[uint16]int{0x20: 4, 0x28: 2, 0x30: 1}[i.Op])
		default:
			t.Fatalf("instruction %d is %T", pc, i)
		}
	}
	t.Fatalf("program has no end")
	return 0, 0
}

func load(h []byte, size int) (v uint32) {
	for _, b := range h[:size] {
		v = v<<8 | uint32(b)
	}
	return v
}

func alu(t testing.TB, op bpf.ALUOp, a, v uint32) uint32 {
	t.Helper()
	switch op {
	case bpf.ALUOpAdd:
		return a + v
	case bpf.ALUOpSub:
		return a - v
	case bpf.ALUOpMul:
		return a * v
	case bpf.ALUOpMod:
		return a % v
	case bpf.ALUOpXor:
		return a ^ v
	case bpf.ALUOpShiftRight:
		return a >> v
	case bpf.ALUOpDiv, bpf.ALUOpOr, bpf.ALUOpAnd, bpf.ALUOpShiftLeft: // no program of ours has them
	}
	t.Fatalf("operation %v is not known", op)
	return 0
}

func holds(t testing.TB, i bpf.JumpIf, a uint32) bool {
	t.Helper()
	switch i.Cond {
	case bpf.JumpEqual:
		return a == i.Val
	case bpf.JumpNotEqual:
		return a != i.Val
	case bpf.JumpGreaterOrEqual:
		return a >= i.Val
	case bpf.JumpLessThan:
		return a < i.Val
	case bpf.JumpGreaterThan, bpf.JumpLessOrEqual, bpf.JumpBitsSet, bpf.JumpBitsNotSet: // no program of ours has them
	}
	t.Fatalf("condition %v is not known", i.Cond)
	return false
}

// drawPlan makes any plan that a listener could make: places with indexes in any order, some of them ready.
func drawPlan(t *rapid.T, maxSlots int) plan {
	slots := rapid.IntRange(1, maxSlots).Draw(t, "slots")
	p := plan{
		policy:   rapid.SampledFrom([]Policy{Random, ClientIP, CPU}).Draw(t, "policy"),
		datagram: rapid.Bool().Draw(t, "datagram"),
		ipv4:     true, ipv6: true, shards: sides * slots, owners: naturalOwners(allKnown(slots)),
	}
	switch rapid.IntRange(0, 2).Draw(t, "family") {
	case 0:
		p.ipv6 = false
	case 1:
		p.ipv4 = false
	}
	index := count(p.shards)
	if rapid.Bool().Draw(t, "shuffled") {
		index = rapid.Permutation(index).Draw(t, "indexes")
	}
	for slot := range slots {
		for side := range sides {
			if rapid.IntRange(0, 2).Draw(t, "ready") > 0 {
				p.ready = append(p.ready, target{
					slot: slot, index: int(index[slot*sides+side]), busy: rapid.IntRange(0, 3).Draw(t, "busy") == 0, cpus: drawCPUs(t, slot),
				})
			}
		}
	}
	if len(p.ready) == 0 {
		p.ready = []target{{slot: 0, index: int(index[0])}}
	}
	return p
}

// drawCPUs pins a slot as configurations do: to one of a few, to a node of neighbours, anyhow, or not at all.
func drawCPUs(t *rapid.T, slot int) []int {
	switch rapid.IntRange(0, 3).Draw(t, "pin") {
	case 0:
		return []int{slot % 6}
	case 1:
		node := slot % 2 * 4
		return []int{node, node + 1, node + 2, node + 3}
	case 2:
		return rapid.SliceOfN(rapid.IntRange(0, 9), 1, 4).Draw(t, "cpus")
	}
	return nil
}

// chosen lists the indexes that a packet without a lane may reach, written independently of the program. Buckets keep
// clients with busy workers too.
func chosen(p plan, cpu uint32) []uint32 {
	sets := [][]target{p.ready}
	narrow := func(keep func(target) bool) {
		var left []target
		for _, r := range sets[len(sets)-1] {
			if keep(r) {
				left = append(left, r)
			}
		}
		if len(left) > 0 {
			sets = append(sets, left)
		}
	}
	if !p.datagram && p.policy != ClientIP {
		narrow(func(r target) bool { return !r.busy })
	}
	if !p.datagram && p.policy == CPU {
		before := len(sets)
		narrow(func(r target) bool { return slices.Contains(r.cpus, int(cpu)) })
		if len(sets) == before {
			narrow(func(r target) bool { return len(r.cpus) == 0 })
		}
	}
	var live []uint32
	for _, r := range sets[len(sets)-1] {
		live = append(live, uint32(r.index))
	}
	return live
}

func TestProgramReachesTheReadyAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPlan(rt, 40)
		code, err := program(p)
		if err != nil {
			rt.Fatal(err)
		}
		for _, source := range sources(rt, p) {
			cpu := rapid.SampledFrom([]uint32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1023}).Draw(rt, "cpu")
			got, _ := run(t, code, packet{source: source, random: rapid.Uint32().Draw(rt, "random"), cpu: cpu})
			if i, ok := lane(p, source); ok {
				if !slices.Contains(i, got) {
					rt.Fatalf("lane of %s leads to %d, want one of %d", source, got, i)
				}
				continue
			}
			if live := chosen(p, cpu); !slices.Contains(live, got) {
				rt.Fatalf("%s on CPU %d goes to %d, and should to one of %d", source, cpu, got, live)
			}
		}
	})
}

// lane says where a source must go, written independently of the program.
func lane(p plan, source netip.AddrPort) ([]uint32, bool) {
	ip := source.Addr()
	if p.datagram {
		return nil, false
	}
	if ip.Is4() {
		b := ip.As4()
		k := int(b[2])<<8 | int(b[3])
		switch {
		case b[0] == 127 && b[1] == 78 && k < p.shards:
			return []uint32{uint32(k)}, true
		case b[0] == 127 && b[1] == 77:
			var all []uint32
			for _, r := range p.ready {
				if r.slot == k {
					all = append(all, uint32(r.index))
				}
			}
			return all, len(all) > 0
		}
		return nil, false
	}
	i := int(source.Port()) - 20000
	return []uint32{uint32(i)}, ip == netip.IPv6Loopback() && i >= 0 && i < p.shards
}

func sources(rt *rapid.T, p plan) []netip.AddrPort {
	port := rapid.Uint16().Draw(rt, "port")
	k := rapid.IntRange(0, p.shards+2).Draw(rt, "k")
	var all []netip.AddrPort
	if p.ipv4 {
		word := rapid.Uint32().Draw(rt, "address")
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], word)
		all = append(all, netip.AddrPortFrom(netip.AddrFrom4(b), port),
			netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 77, byte(k >> 8), byte(k)}), port),
			netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 78, byte(k >> 8), byte(k)}), port))
	}
	if p.ipv6 {
		var b [16]byte
		copy(b[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(rt, "address6"))
		if a := netip.AddrFrom16(b); !a.Is4In6() {
			all = append(all, netip.AddrPortFrom(a, port))
		}
		all = append(all, netip.AddrPortFrom(netip.IPv6Loopback(), port),
			netip.AddrPortFrom(netip.IPv6Loopback(), uint16(20000+k)),
			netip.AddrPortFrom(netip.MustParseAddr("1::1"), uint16(20000+k)))
	}
	return all
}

func TestProgramFits(t *testing.T) {
	t.Parallel()
	for _, slots := range []int{1, 64, 257, 1000} {
		for _, sameSide := range []string{"one side", "mixed sides", "every third unready", "scattered indexes"} {
			for _, policy := range []Policy{Random, ClientIP, CPU} {
				p := plan{ipv4: true, ipv6: true, policy: policy, shards: sides * slots, owners: naturalOwners(allKnown(slots))}
				for s := range slots {
					index := sides * s
					switch {
					case sameSide == "mixed sides":
						index += int(scatter(uint32(s)) & 1)
					case sameSide == "scattered indexes":
						index = (index*7 + 3) % p.shards
					case sameSide == "every third unready" && s%3 == 1:
						continue
					}
					p.ready = append(p.ready, target{slot: s, index: index})
				}
				code, err := program(p)
				if err != nil {
					t.Errorf("%d slots, %s, %s: %v", slots, sameSide, policy, err)
					continue
				}
				_, steps := run(t, code, packet{source: netip.MustParseAddrPort("192.0.2.1:1234"), random: 1<<32 - 1})
				if sameSide == "one side" && policy == Random && len(code) > 60 {
					t.Errorf("%d slots on one side need %d instructions", slots, len(code))
				}
				if steps > 60 {
					t.Errorf("%d slots, %s, %s: %d steps for a connection", slots, sameSide, policy, steps)
				}
			}
		}
	}
}

// Pins are as even as chance among those of one CPU, and are given up before a program gets too long.
func TestProgramOfPins(t *testing.T) {
	t.Parallel()
	const slots = 1000
	for name, cpus := range map[string]func(slot int) []int{
		"one each":      func(slot int) []int { return []int{slot} },
		"64 in turn":    func(slot int) []int { return []int{slot % 64} },
		"two nodes":     func(slot int) []int { return seq(slot%2*32, 32) },
		"all on all":    func(int) []int { return seq(0, 64) },
		"half not":      func(slot int) []int { return seq(slot, slot%2) },
		"overlapping":   func(slot int) []int { return seq(slot%64, 3) },
		"all different": func(slot int) []int { return seq(slot, 16) },
	} {
		p := plan{ipv4: true, ipv6: true, policy: CPU, shards: sides * slots}
		for s := range slots {
			p.ready = append(p.ready, target{slot: s, index: sides*s + int(scatter(uint32(s))&1), cpus: cpus(s), busy: s%7 == 0})
		}
		code, err := program(p)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		given := name == "overlapping" || name == "all different"
		strays, most := 0, 0
		for cpu := range uint32(slots) {
			got, steps := run(t, code, packet{source: netip.MustParseAddrPort("192.0.2.1:1234"), random: cpu * golden, cpu: cpu})
			if !slices.Contains(chosen(p, cpu), got) {
				strays++
			}
			most = max(most, steps)
		}
		if (strays > 0) != given || most > 60 {
			t.Errorf("%s: %d instructions, %d of %d CPUs do not lead to their slots, %d steps", name, len(code), strays, slots, most)
		}
	}
	// Three of one CPU share it evenly.
	p := plan{ipv4: true, policy: CPU, shards: 8}
	for s := range 4 {
		p.ready = append(p.ready, target{slot: s, index: s, cpus: []int{s % 3 % 2}})
	}
	code, err := program(p)
	if err != nil {
		t.Fatal(err)
	}
	got := map[uint32]int{}
	for random := range uint32(300) {
		index, _ := run(t, code, packet{source: netip.MustParseAddrPort("192.0.2.1:1"), random: random})
		got[index]++
	}
	if got[0] != 100 || got[2] != 100 || got[3] != 100 {
		t.Errorf("the slots of one CPU got %v", got)
	}
}

func seq(from, n int) (all []int) {
	for i := range n {
		all = append(all, from+i)
	}
	return all
}

func TestBucketsMoveOnlyWhereTheyMust(t *testing.T) {
	t.Parallel()
	for _, slots := range []int{1, 2, 3, 4, 7, 64, 1000, buckets} {
		owners := naturalOwners(allKnown(slots))
		held := make([]int, slots)
		for _, o := range owners {
			held[o]++
		}
		if lo, hi := slices.Min(held), slices.Max(held); hi-lo > 1 {
			t.Errorf("%d slots hold %d to %d buckets", slots, lo, hi)
		}
		if slots > 1 {
			for b, o := range naturalOwners(allKnown(slots - 1)) {
				if owners[b] != o && owners[b] != slots-1 {
					t.Fatalf("%d slots: bucket %d moves from %d to %d, which is not new", slots, b, o, owners[b])
				}
			}
		}
	}
	// Slots that have never been ready leave the buckets where they are.
	known := append(allKnown(3), false, false, false)
	if !slices.Equal(naturalOwners(known), naturalOwners(allKnown(3))) {
		t.Error("slots that nobody knows own buckets")
	}
	known[4] = true
	before, after := naturalOwners(allKnown(3)), naturalOwners(known)
	for b, o := range after {
		if o != before[b] && o != 4 {
			t.Fatalf("bucket %d moves from %d to %d", b, before[b], o)
		}
	}
	const slots = 6
	all := func(without ...int) []int {
		var ready []target
		for s := range slots {
			if !slices.Contains(without, s) {
				ready = append(ready, target{slot: s, index: s})
			}
		}
		return bucketTable(naturalOwners(allKnown(slots)), ready)
	}
	for _, step := range []struct{ before, after []int }{{nil, []int{2}}, {[]int{2}, []int{2, 4}}, {[]int{0, 1}, []int{0, 1, 5}}} {
		gone := step.after[len(step.after)-1]
		was, is := all(step.before...), all(step.after...)
		for b := range was {
			if (was[b] != is[b]) != (was[b] == gone) {
				t.Fatalf("without %d: bucket %d was with %d and is with %d", step.after, b, was[b], is[b])
			}
		}
	}
}

func allKnown(slots int) []bool { return slices.Repeat([]bool{true}, slots) }

func TestGroupFollowsTheKernel(t *testing.T) {
	t.Parallel()
	var g group
	var all []*shard
	for i := range 5 {
		s := &shard{fd: i}
		all = append(all, s)
		g = g.add(s)
	}
	g = g.remove(all[1]).remove(all[4]).add(all[1])
	want := []int{0, 3, 2, 1}
	for i, s := range g {
		if s.index != i || s.fd != want[i] {
			t.Errorf("index %d is socket %d (index %d), want %d", i, s.fd, s.index, want[i])
		}
	}
	if all[4].index != outside {
		t.Errorf("removed socket has index %d", all[4].index)
	}
}

func BenchmarkProgram(b *testing.B) {
	for _, slots := range []int{8, 257, 1000} {
		b.Run(fmt.Sprint(slots), func(b *testing.B) {
			p := plan{ipv4: true, ipv6: true, shards: sides * slots}
			for s := range slots {
				p.ready = append(p.ready, target{slot: s, index: sides*s + s&1})
			}
			for b.Loop() {
				if _, err := program(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
