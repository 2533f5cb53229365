package shim

// Watch is what a process that has claims says of itself, and to whom.
type Watch struct {
	Socket   int // 0 is none
	Token    uint64
	Sessions [2]uint64
	Until    uint64 // nanoseconds of CLOCK_BOOTTIME: when they end
}

// Message is a Watch of internal/deadman, which has a test that they agree: it cannot be imported here.
func (w *Watch) Message(pid uint32) [40]byte {
	const kind, version, withProcess = 2, 1, 1
	b := [40]byte{kind, version, withProcess}
	put := func(at, size int, n uint64) {
		for i := range size {
			b[at+i] = byte(n >> (8 * i))
		}
	}
	put(4, 4, uint64(pid))
	put(8, 8, w.Token)
	put(16, 8, w.Sessions[0])
	put(24, 8, w.Sessions[1])
	return b
}
