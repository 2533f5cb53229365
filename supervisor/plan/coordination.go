package plan

import "time"

// Coordination is what a supervisor shares with others, and where. It is Fixed: no reload changes it.
type Coordination struct {
	// Group is what those who share have in common; without one nothing is shared.
	Group string
	// Directory is where supervisors of one machine find each other; "" is the usual one.
	Directory string
	// Etcd is where those of several machines do, if it has endpoints.
	Etcd Etcd
	// Lease is how long what is shared may be used without an answer of etcd; 0 is the usual time.
	Lease time.Duration
	// KeepIDs has workers serve on whose claims to their ids are lost; leaders never do.
	KeepIDs bool
}

// Etcd is where etcd is, and who we are to it. Files are absolute paths.
type Etcd struct {
	Endpoints     []string
	Prefix        string // of the keys; "" is the usual one
	CA, Cert, Key string
	User          string
	PasswordFile  string
}
