package config

// HookTable is [on_event.NAME]: who is told of events, of which ones, and how. One of the first two keys is said.
type HookTable struct {
	Exec []string `toml:"exec,omitempty"` // a program and its arguments
	URL  string   `toml:"url,omitempty"`  // for POST

	Events []string `toml:"events,omitempty"` // kinds; all of them if there is none
	Pools  []string `toml:"pools,omitempty"`
	States []string `toml:"states,omitempty"`
	Causes []string `toml:"causes,omitempty"` // of deaths

	Headers   map[string]string `toml:"headers,omitempty"`
	TokenFile string            `toml:"token_file,omitempty"` // in $CREDENTIALS_DIRECTORY, or an absolute path

	Timeout  *Duration `toml:"timeout,omitempty"`  // of an attempt
	Attempts *int      `toml:"attempts,omitempty"` // to deliver an event
	Queue    *int      `toml:"queue,omitempty"`    // events that may wait
}
