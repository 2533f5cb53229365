package compat

// ruby are the servers for Rack.
func ruby() []Server {
	return []Server{
		{
			Name: "puma", Package: "puma, ruby-rack", Probe: []string{"puma", "--version"},
			Takes:   "`LISTEN_FDS`; `-b` names the same address",
			Flags:   []string{"--clean-exit", "TERM", "--reload", "signal", "--reload-signal", "USR2"},
			Command: []string{"puma", "-e", "production", "-b", "tcp://127.0.0.1:@PORT@", "config.ru"},
			Note:    "USR2 executes it again in place",
		},
		{
			Name: "puma, cluster", Package: "puma, ruby-rack", Probe: []string{"puma", "--version"},
			Takes:   "`LISTEN_FDS`; `-b` names the same address",
			Flags:   []string{"--clean-exit", "TERM", "--reload", "signal", "--reload-signal", "USR1"},
			Command: []string{"puma", "-w", "2", "-e", "production", "-b", "tcp://127.0.0.1:@PORT@", "config.ru"},
			Note:    "USR1 replaces its processes one by one; when the leading one is killed they end at once, with what they have",
		},
		{
			Name: "unicorn", Package: "unicorn", Probe: []string{"unicorn", "--version"},
			Takes:   "`LISTEN_FDS`; `listen` names the same address",
			Flags:   []string{"--stop-signal", "QUIT", "--reload", "signal"},
			Command: []string{"unicorn", "-E", "none", "-c", "unicorn.conf", "config.ru"},
			Note:    "TERM does not wait for requests, QUIT does; without a file (`-c`) HUP starts another beside it; `UNICORN_FD` besides `LISTEN_FDS` breaks it",
		},
	}
}
