package shim

// Settings are what a process keeps through execve(2) beside its user and limits. Nil
// leaves what the supervisor has.
type Settings struct {
	Nice         *int     // setpriority(2)
	IOPriority   *int     // ioprio_set(2): class and level as one number
	OOMScoreAdj  *int     // proc_pid_oom_score_adj(5)
	CPUs         []uint64 // sched_setaffinity(2): a mask, the lowest CPUs first
	Capabilities *uint64  // the only ones that remain, as bits; see capabilities(7)
	NoNewPrivs   bool     // PR_SET_NO_NEW_PRIVS(2const)
}

// add writes what there is of: n with the nice value; p with the I/O priority; o with
// the OOM score; c with the words of the mask; b with the bits of capabilities; w with
// 1. Negative numbers are those of uint64 with the same bits.
func (s *Settings) add(add func(letter byte, numbers ...uint64)) {
	for _, n := range [...]struct {
		letter byte
		number *int
	}{{'n', s.Nice}, {'p', s.IOPriority}, {'o', s.OOMScoreAdj}} {
		if n.number != nil {
			add(n.letter, uint64(*n.number))
		}
	}
	if len(s.CPUs) > 0 {
		add('c', s.CPUs...)
	}
	if s.Capabilities != nil {
		add('b', *s.Capabilities)
	}
	if s.NoNewPrivs {
		add('w', 1)
	}
}

// set takes one order; false if it is none of these.
func (s *Settings) set(letter byte, numbers []uint64) bool {
	if letter == 'c' {
		s.CPUs = numbers
		return true
	}
	if len(numbers) != 1 {
		return false
	}
	n := int(numbers[0])
	switch letter {
	case 'n':
		s.Nice = &n
	case 'p':
		s.IOPriority = &n
	case 'o':
		s.OOMScoreAdj = &n
	case 'b':
		s.Capabilities = &numbers[0]
	case 'w':
		s.NoNewPrivs = true
	default:
		return false
	}
	return true
}
