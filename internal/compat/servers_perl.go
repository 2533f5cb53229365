package compat

// perl has the framework that takes sockets; for those that cannot see [Strangers].
func perl() []Server {
	return []Server{
		{
			Name: "Mojolicious daemon", Package: "libmojolicious-perl", Probe: mojo(),
			Takes:   "`-l 'http://127.0.0.1?fd=3'`",
			Command: []string{"perl", "mojo.pl", "daemon", "-m", "production", "-l", "http://127.0.0.1?fd={{.FD.http}}"},
		},
		{
			Name: "Mojolicious prefork", Package: "libmojolicious-perl", Probe: mojo(),
			Takes: "`-l 'http://127.0.0.1?fd=3'`",
			Flags: []string{"--stop-signal", "QUIT"},
			Command: []string{
				"perl", "mojo.pl", "prefork", "-w", "2", "-m", "production", "-P", "mojo-{{.WorkerID}}.pid",
				"-l", "http://127.0.0.1?fd={{.FD.http}}",
			},
			Note: "TERM does not wait for requests, QUIT does",
		},
	}
}

func mojo() []string { return []string{"perl", "-MMojolicious", "-e", "print Mojolicious->VERSION"} }
