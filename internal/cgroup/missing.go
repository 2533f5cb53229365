package cgroup

// Missing is what limits or groups cannot do without. It is no fault: workers then have their process group and their
// rlimits, as on every other system.
type Missing struct {
	What string // "a mount of cgroup v2", "the memory controller"
	Why  string // "it is bound to cgroup v1"; may be empty
	Hint string // what would help; may be empty
	// Words are those of the limits that do not hold because of it; see Limits.Words.
	Words []string
}

// Of is the same for some limits.
func (m *Missing) Of(words []string) *Missing {
	of := *m
	of.Words = words
	return &of
}

// Error names it in one line.
func (m *Missing) Error() string {
	text := "missing: " + m.What
	if m.Why != "" {
		text += ": " + m.Why
	}
	if m.Hint != "" {
		text += " (" + m.Hint + ")"
	}
	return text
}

// hintDelegate is what a user of systemd can do.
const hintDelegate = "Delegate=yes in the unit of brood, or systemd-run --scope -p Delegate=yes"
