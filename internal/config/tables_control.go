package config

// ControlTable is [supervisor.control]: where the API is, and who may use it. A string in its place is its path.
type ControlTable struct {
	Path string `toml:"path,omitempty"` // of the control socket
	// Read are the users, and groups with @ in front, who may look, and change nothing.
	Read []string `toml:"read,omitempty"`
	// Write are those who may ask for everything; without it the members of the socket's group.
	Write *[]string `toml:"write,omitempty"`

	TCP           string `toml:"tcp,omitempty"`             // where the API is answered too: PORT of 127.0.0.1, ADDRESS
	TCPRemote     bool   `toml:"tcp_remote,omitempty"`      // tcp may be another address than those of this machine alone
	TokenFile     string `toml:"token_file,omitempty"`      // in $CREDENTIALS_DIRECTORY, or an absolute path: may ask for everything
	ReadTokenFile string `toml:"read_token_file,omitempty"` // the same for a token that may look
}
