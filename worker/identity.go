package worker

// Identity is as whom a worker runs: numbers, as the kernel wants them. To take on
// another one needs CAP_SETUID and CAP_SETGID.
type Identity struct {
	UID, GID uint32
	Groups   []uint32 // supplementary groups, all of them
}

// Limit is one limit of setrlimit(2). RLIM_INFINITY is ^uint64(0).
type Limit struct {
	Resource   int // RLIMIT_NOFILE, ...
	Soft, Hard uint64
}
