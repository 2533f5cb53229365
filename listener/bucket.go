package listener

import "slices"

// buckets is how many parts the space of client hashes has. It never changes,
// because another count would move every flow. It bounds the slots that a bucket
// table can serve.
const buckets = 1024

// naturalOwners assigns every bucket to a slot for the time when all are ready:
// evenly (the counts differ by one at most), and so that one slot more takes
// buckets from the others without moving any between those. A slot that has never
// been ready does not own yet what will be its own: its buckets stay where they
// were without it, so that growth moves each flow once at most.
func naturalOwners(known []bool) []int {
	owner := make([]int, buckets)
	// The buckets of each slot in ascending order; a newcomer takes from the end, which keeps runs of equal owners long
	// and the program short.
	owned := make([][]int, 1, len(known))
	owned[0] = make([]int, buckets)
	for b := range owned[0] {
		owned[0][b] = b
	}
	for newcomer := 1; newcomer < len(known); newcomer++ {
		taken := takeShare(owned)
		slices.Sort(taken)
		owned = append(owned, taken)
		if !known[newcomer] {
			continue
		}
		for _, b := range taken {
			owner[b] = newcomer
		}
	}
	return owner
}

// takeShare takes from all their part of what one more should have: from those with more than their share first, then
// from anybody who has more than the newcomer will.
func takeShare(owned [][]int) []int {
	fair := buckets / (len(owned) + 1)
	var taken []int
	for limit := fair + 1; limit >= fair && len(taken) < fair; limit-- {
		for s := range owned {
			for len(owned[s]) > limit && len(taken) < fair {
				last := len(owned[s]) - 1
				taken = append(taken, owned[s][last])
				owned[s] = owned[s][:last]
			}
		}
	}
	return taken
}

// bucketTable returns the index for each bucket: that of its natural owner while
// the slot is ready. The buckets of an unready slot go to ready ones by the
// highest hash of (bucket, slot), so that a further slot that becomes unready
// moves its own buckets and no others. ready is not empty.
func bucketTable(owners []int, ready []target) []int {
	index := map[int]int{}
	for _, r := range ready {
		index[r.slot] = r.index
	}
	table := make([]int, len(owners))
	for b, owner := range owners {
		if i, ok := index[owner]; ok {
			table[b] = i
			continue
		}
		best, weight := ready[0], uint32(0)
		for _, r := range ready {
			if w := scatter(uint32(b)<<16 | uint32(r.slot)); w > weight {
				best, weight = r, w
			}
		}
		table[b] = best.index
	}
	return table
}

// scatter is a finaliser of the murmur kind: every bit of the input changes half of the output's.
func scatter(x uint32) uint32 {
	x ^= x >> 16
	x *= 0x7feb352d
	x ^= x >> 15
	x *= 0x846ca68b
	x ^= x >> 16
	return x
}
