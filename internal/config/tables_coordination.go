package config

// CoordinationTable is [coordination]: what supervisors share, and where. Without it each has its own worker ids and leaders.
type CoordinationTable struct {
	// Group is what supervisors call themselves together that share: their pools of one name are one pool to them.
	Group string `toml:"group"`
	// Directory is where supervisors of one machine find each other: files of locks.
	Directory string `toml:"directory,omitempty"`
	// Etcd is where those of several machines do: URLs.
	Etcd         []string `toml:"etcd,omitempty"`
	Prefix       string   `toml:"prefix,omitempty"` // of the keys
	CA           string   `toml:"ca,omitempty"`     // files: in $CREDENTIALS_DIRECTORY, or absolute paths
	Cert         string   `toml:"cert,omitempty"`
	Key          string   `toml:"key,omitempty"`
	User         string   `toml:"user,omitempty"`
	PasswordFile string   `toml:"password_file,omitempty"`
	// Lease is how long what is shared is ours without an answer of etcd.
	Lease Duration `toml:"lease,omitempty"`
	// OnLost says what becomes of workers when the claims to their ids are lost: stop, or keep.
	OnLost string `toml:"on_lost,omitempty"`
}

// FleetTable is [pool.NAME.rollout.fleet]: with whom a pool takes turns at rollouts.
type FleetTable struct {
	Name              string `toml:"name,omitempty"`                // all who take turns say the same
	MaxParallel       *Share `toml:"max_parallel,omitempty"`        // 1, "10%" of the members
	StopAfterFailures *int   `toml:"stop_after_failures,omitempty"` // 1; 0 never stops the others
}
