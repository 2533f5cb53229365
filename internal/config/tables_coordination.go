package config

// CoordinationTable is [coordination]: what supervisors share, and where. Without it each has its own worker ids and leaders.
type CoordinationTable struct {
	// Group is what supervisors call themselves together that share: their pools of one name are one pool to them.
	Group string `toml:"group"`
	// Directory is where supervisors of one machine find each other: files of locks.
	Directory string `toml:"directory,omitempty"`
}
