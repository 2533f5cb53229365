package listener

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/net/bpf"
)

const (
	// maxInstructions is BPF_MAXINSNS of linux/bpf_common.h.
	maxInstructions = 4096

	slotLane  = 127<<8 | 77 // the upper half of a source address 127.77.x.y
	indexLane = 127<<8 | 78
	portLane  = 20000 // the first source port of ::1 that is a lane
	portLanes = 1<<16 - portLane

	// netOff is SKF_NET_OFF of linux/filter.h: offsets from here count from the IP header.
	netOff = uint32(0xfff00000)
	// golden spreads neighbouring addresses over the upper bits; 2^32 divided by the golden ratio.
	golden = 0x9e3779b1
)

// lanes says which sources get a way of their own.
type lanes uint8

const (
	noLanes lanes = iota
	indexLanes
	allLanes
)

// target is one ready worker's shard.
type target struct {
	slot  int
	index int   // in the kernel's group
	busy  bool  // left out while others are not
	cpus  []int // its worker is pinned to
}

// plan is all that a program depends on.
type plan struct {
	ipv4, ipv6 bool // what the socket can receive
	datagram   bool // keep flows together, whatever the policy
	policy     Policy
	owners     []int    // of the buckets; used for ClientIP and datagrams
	shards     int      // group indexes are below
	ready      []target // not empty
}

// program turns members, policy and lanes into a classic BPF program that returns
// the group index for a packet. It leaves the lanes of slots out, and then the
// pins, when the program would be too long otherwise.
func program(p plan) ([]bpf.RawInstruction, error) {
	if len(p.ready) == 0 {
		return nil, errors.New("nobody is ready")
	}
	for _, r := range p.ready {
		if r.index < 0 || r.index >= p.shards {
			return nil, fmt.Errorf("index %d of slot %d is not in a group of %d", r.index, r.slot, p.shards)
		}
	}
	p.ready = slices.SortedStableFunc(slices.Values(p.ready), func(a, b target) int { return a.slot - b.slot })
	code := p.shortened()
	if len(code) > maxInstructions {
		return nil, fmt.Errorf("program has %d instructions, and the kernel takes %d", len(code), maxInstructions)
	}
	raw, err := bpf.Assemble(code)
	if err != nil {
		return nil, fmt.Errorf("cannot assemble program: %w", err)
	}
	return raw, nil
}

// shortened leaves out what can be spared until the program is short enough: the lanes of slots, then the pins.
func (p plan) shortened() []bpf.Instruction {
	if p.datagram {
		return p.code(noLanes)
	}
	code := p.code(allLanes)
	if len(code) > maxInstructions {
		code = p.code(indexLanes)
	}
	if len(code) > maxInstructions && p.pinned() {
		for i := range p.ready {
			p.ready[i].cpus = nil
		}
		return p.shortened()
	}
	return code
}

// code is lanes, then key, then the search for the key's index.
func (p plan) code(which lanes) []bpf.Instruction {
	choose := p.choose()
	var code []bpf.Instruction
	if which != noLanes {
		code = append(code, p.versions(p.lane4(which), p.lane6())...)
	}
	return append(code, choose...)
}

// versions runs one of two fragments, and goes on behind both when they fall through.
func (p plan) versions(v4, v6 []bpf.Instruction) []bpf.Instruction {
	switch {
	case !p.ipv6:
		return v4
	case !p.ipv4:
		return v6
	}
	v6 = append(v6, bpf.Jump{Skip: uint32(len(v4))})
	code := []bpf.Instruction{
		bpf.LoadAbsolute{Off: netOff, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 6, SkipTrue: 1},
		bpf.Jump{Skip: uint32(len(v6))},
	}
	return append(append(code, v6...), v4...)
}

func (p plan) lane4(which lanes) []bpf.Instruction {
	const source = netOff + 12
	code := []bpf.Instruction{
		bpf.LoadAbsolute{Off: source, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: indexLane, SkipTrue: 3},
		bpf.LoadAbsolute{Off: source + 2, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: uint32(p.shards), SkipTrue: 1},
		bpf.RetA{},
	}
	if which != allLanes {
		return code
	}
	lane := append([]bpf.Instruction{bpf.LoadAbsolute{Off: source + 2, Size: 2}}, search(p.current())...)
	// A is the upper half still, or a number beyond the group, which only a source of the other lane has.
	code = append(code,
		bpf.LoadAbsolute{Off: source, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: slotLane, SkipTrue: 1},
		bpf.Jump{Skip: uint32(len(lane))})
	return append(code, lane...)
}

// current maps a slot to the shard of its ready worker; when both are ready to that which was named last.
func (p plan) current() []span {
	var last []target
	for _, r := range p.ready {
		if n := len(last); n > 0 && last[n-1].slot == r.slot {
			last[n-1] = r
			continue
		}
		last = append(last, r)
	}
	keys := make([]uint32, len(last))
	for i, r := range last {
		keys[i] = uint32(r.slot)
	}
	return spans(keys, func(i int) int { return last[i].index })
}

func (p plan) lane6() []bpf.Instruction {
	const source, port = netOff + 8, netOff + 40
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: source, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 10},
		bpf.LoadAbsolute{Off: source + 4, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 8},
		bpf.LoadAbsolute{Off: source + 8, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 6},
		bpf.LoadAbsolute{Off: source + 12, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 1, SkipTrue: 4},
		bpf.LoadAbsolute{Off: port, Size: 2},
		bpf.ALUOpConstant{Op: bpf.ALUOpSub, Val: portLane}, // wraps below, and is too large then
		bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: uint32(p.shards), SkipTrue: 1},
		bpf.RetA{},
	}
}

// choose picks one of the ready by the policy.
func (p plan) choose() []bpf.Instruction {
	if p.datagram || p.policy == ClientIP {
		table := bucketTable(p.owners, p.ready)
		return append(p.hash(), total(spans(count(len(table)), func(i int) int { return table[i] }))...)
	}
	idle := p.idle()
	switch {
	case p.policy != CPU:
		return spread(bpf.ExtRand, idle)
	case !p.pinned():
		return spread(bpf.ExtCPUID, idle)
	}
	return nearby(idle)
}

// idle are the ready that are not busy; all of them if all are.
func (p plan) idle() []target {
	var idle []target
	for _, r := range p.ready {
		if !r.busy {
			idle = append(idle, r)
		}
	}
	if len(idle) == 0 {
		return p.ready
	}
	return idle
}

// pinned tells whether the CPU of a packet has a meaning for some of the ready.
func (p plan) pinned() bool {
	return p.policy == CPU && slices.ContainsFunc(p.ready, func(r target) bool { return len(r.cpus) > 0 })
}

// spread takes one of all by a number that the kernel gives, modulo how many there are.
func spread(number bpf.Extension, all []target) []bpf.Instruction {
	if len(all) == 1 {
		return []bpf.Instruction{bpf.RetConstant{Val: uint32(all[0].index)}}
	}
	code := []bpf.Instruction{
		bpf.LoadExtension{Num: number},
		bpf.ALUOpConstant{Op: bpf.ALUOpMod, Val: uint32(len(all))},
	}
	return append(code, total(spans(count(len(all)), func(i int) int { return all[i].index }))...)
}

func count(n int) []uint32 {
	keys := make([]uint32, n)
	for i := range keys {
		keys[i] = uint32(i)
	}
	return keys
}

// hash leaves in A the bucket of a client: by its address, for datagrams also by its port. It is computed from the
// headers, because the kernel's own hash (SKF_AD_RXHASH) is 0 for packets that nobody has hashed yet.
func (p plan) hash() []bpf.Instruction {
	v4, v6 := []uint32{12}, []uint32{8, 12, 16, 20}
	return append(p.versions(p.fold(v4, 20), p.fold(v6, 40)),
		bpf.ALUOpConstant{Op: bpf.ALUOpMul, Val: golden},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 32 - 10}) // 2^10 buckets
}

// fold is the exclusive or of words of the source address, and of the source port for datagrams. IP options move the
// port elsewhere; what is read instead then still belongs to the flow, mostly.
func (p plan) fold(words []uint32, port uint32) []bpf.Instruction {
	code := []bpf.Instruction{bpf.LoadAbsolute{Off: netOff + words[0], Size: 4}}
	also := func(off uint32, size int) {
		code = append(code, bpf.TAX{}, bpf.LoadAbsolute{Off: netOff + off, Size: size}, bpf.ALUOpX{Op: bpf.ALUOpXor})
	}
	for _, w := range words[1:] {
		also(w, 4)
	}
	if p.datagram {
		also(port, 2)
	}
	return code
}
