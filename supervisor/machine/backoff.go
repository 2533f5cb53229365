package machine

import "time"

// delay is the time before a slot's next start, after so many failures in a row: none before the first restart, then
// Base, doubling up to Max. A quarter of it is jitter, drawn from the seed and the incarnation: the machine stays a
// function, and a thousand slots do not restart in step.
func (b Backoff) delay(failures int, inc uint64) time.Duration {
	if failures < 2 || b.Base <= 0 {
		return 0
	}
	d := b.Base
	for n := 2; n < failures && d < b.Max; n++ {
		d *= 2
	}
	d = max(min(d, b.Max), 1)
	return d - time.Duration(mix(b.Seed^inc)%(uint64(d)/4+1))
}

// mix is the finalizer of splitmix64: it spreads neighbouring numbers over all 64 bits.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
