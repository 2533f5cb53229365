package listener

import "golang.org/x/net/bpf"

// A span maps the keys from..to to index key*scale+offset, so that a thousand
// shards in regular order need a handful of instructions.
type span struct {
	from, to uint32
	scale    uint32 // 0, 1 or sides; from away on it says where to go on instead
	offset   int    // may be negative: the index never is
}

// spans packs (key, index) pairs, in ascending order of keys, into as few spans as it easily finds.
func spans(keys []uint32, index func(i int) int) []span {
	var all []span
	for i, key := range keys {
		at := index(i)
		if n := len(all); n > 0 && all[n-1].extend(key, at) {
			continue
		}
		all = append(all, span{from: key, to: key, offset: at})
	}
	return all
}

func (s *span) extend(key uint32, index int) bool {
	if key != s.to+1 {
		return false
	}
	if s.from == s.to { // one key has no slope yet
		slope := index - s.offset
		if slope < 0 || slope > sides {
			return false
		}
		s.scale, s.offset, s.to = uint32(slope), s.offset-slope*int(s.from), key
		return true
	}
	if int(key*s.scale)+s.offset != index {
		return false
	}
	s.to = key
	return true
}

// code returns the index of the key in A.
func (s span) code(to []bpf.Instruction) []bpf.Instruction {
	switch {
	case s.scale >= away:
		return append(to, bpf.Jump{Skip: s.scale})
	case s.scale == 0:
		return append(to, bpf.RetConstant{Val: uint32(s.offset)})
	}
	return append(to,
		bpf.ALUOpConstant{Op: bpf.ALUOpMul, Val: s.scale},
		bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: uint32(s.offset)}, // wraps for negative offsets, as meant
		bpf.RetA{})
}

func (s span) size() int {
	if s.scale == 0 || s.scale >= away {
		return 1
	}
	return 3
}

// away is the first of the scales of spans without an index: away+i leads to the place i behind the tree. As the length of
// a jump it stands for that place, which is not known while the parts of the tree are made.
const away = 1 << 31

// search returns the index of the key in A by binary search, and goes on behind
// its own end with A unchanged for keys of no span. all is sorted.
func search(all []span) []bpf.Instruction {
	code := total(padded(all))
	resolve(code, []int{len(code)})
	return code
}

// padded fills the gaps between spans, and what is beyond the last, with ways to the place 0.
func padded(all []span) []span {
	var whole []span
	var next uint32
	for _, s := range all {
		if s.from > next {
			whole = append(whole, span{from: next, scale: away})
		}
		whole = append(whole, s)
		next = s.to + 1
	}
	return append(whole, span{from: next, scale: away})
}

// resolve puts the positions of places into the jumps that lead there.
func resolve(code []bpf.Instruction, places []int) {
	for i, ins := range code {
		if j, ok := ins.(bpf.Jump); ok && j.Skip >= away {
			code[i] = bpf.Jump{Skip: uint32(places[j.Skip-away] - i - 1)}
		}
	}
}

// total is search for keys that are known to be within the spans.
func total(all []span) []bpf.Instruction { return node(make([]bpf.Instruction, 0, size(all)), all) }

// maxSkip is how far a conditional jump reaches; its length is a byte in struct sock_filter of linux/filter.h.
const maxSkip = 255

func node(to []bpf.Instruction, all []span) []bpf.Instruction {
	if len(all) == 1 {
		return all[0].code(to)
	}
	left, right := halves(all)
	pivot := right[0].from
	if skip := size(left); skip <= maxSkip {
		to = append(to, bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: pivot, SkipTrue: uint8(skip)})
	} else {
		to = append(to, bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: pivot, SkipFalse: 1}, bpf.Jump{Skip: uint32(skip)})
	}
	return node(node(to, left), right)
}

func halves(all []span) (left, right []span) { return all[:len(all)/2], all[len(all)/2:] }

// size is how many instructions node makes.
func size(all []span) int {
	if len(all) == 1 {
		return all[0].size()
	}
	left, right := halves(all)
	n := size(left)
	branch := 1
	if n > maxSkip {
		branch = 2
	}
	return n + branch + size(right)
}
