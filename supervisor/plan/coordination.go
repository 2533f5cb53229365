package plan

// Coordination is what a supervisor shares with others, and where. It is Fixed: no reload changes it.
type Coordination struct {
	// Group is what those who share have in common; without one nothing is shared.
	Group string
	// Directory is where supervisors of one machine find each other; "" is the usual one.
	Directory string
}
