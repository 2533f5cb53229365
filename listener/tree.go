package listener

import "golang.org/x/net/bpf"

// A span maps the keys from..to to index key*scale+offset, so that a thousand
// shards in regular order need a handful of instructions.
type span struct {
	from, to uint32
	scale    uint32 // 0 or sides
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
		switch index - s.offset {
		case 0:
			s.to = key
			return true
		case sides:
			s.scale, s.offset, s.to = sides, s.offset-sides*int(s.from), key
			return true
		}
		return false
	}
	if int(key*s.scale)+s.offset != index {
		return false
	}
	s.to = key
	return true
}

// code returns the index of the key in A.
func (s span) code() []bpf.Instruction {
	if s.scale == 0 {
		return []bpf.Instruction{bpf.RetConstant{Val: uint32(s.offset)}}
	}
	return []bpf.Instruction{
		bpf.ALUOpConstant{Op: bpf.ALUOpMul, Val: s.scale},
		bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: uint32(s.offset)}, // wraps for negative offsets, as meant
		bpf.RetA{},
	}
}

// miss marks a jump behind the end of the tree, whose length is not known while its parts are made.
const miss = 1<<32 - 1

// search returns the index of the key in A by binary search, and goes on behind
// its own end with A unchanged for keys of no span. all is sorted.
func search(all []span) []bpf.Instruction {
	var padded []span
	var next uint32
	for _, s := range all {
		if s.from > next {
			padded = append(padded, hole(next))
		}
		padded = append(padded, s)
		next = s.to + 1
	}
	padded = append(padded, hole(next))
	code := node(padded)
	for i, ins := range code {
		if j, ok := ins.(bpf.Jump); ok && j.Skip == miss {
			code[i] = bpf.Jump{Skip: uint32(len(code) - i - 1)}
		}
	}
	return code
}

// total is search for keys that are known to be within the spans.
func total(all []span) []bpf.Instruction { return node(all) }

// hole is a span without an index; it is told by from > to.
func hole(from uint32) span { return span{from: from, to: from - 1, scale: miss} }

func node(all []span) []bpf.Instruction {
	if len(all) == 1 {
		if all[0].scale == miss {
			return []bpf.Instruction{bpf.Jump{Skip: miss}}
		}
		return all[0].code()
	}
	middle := len(all) / 2
	left, right := node(all[:middle]), node(all[middle:])
	pivot := all[middle].from
	code := make([]bpf.Instruction, 0, len(left)+len(right)+2)
	if len(left) <= maxSkip {
		code = append(code, bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: pivot, SkipTrue: uint8(len(left))})
	} else {
		code = append(code,
			bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: pivot, SkipFalse: 1},
			bpf.Jump{Skip: uint32(len(left))})
	}
	return append(append(code, left...), right...)
}

// maxSkip is how far a conditional jump reaches; see bpf(4) and struct sock_filter.
const maxSkip = 255
