package compat

// webServers serve files and stand in front of others.
func webServers() []Server {
	return []Server{
		{
			Name: "nginx", Package: "nginx-light", Probe: []string{"nginx", "-v"},
			Takes: "`NGINX=3;`; `listen` names the same address",
			Flags: []string{"-e", "NGINX={{.FD.http}};", "--stop-signal", "QUIT"},
			Command: []string{
				"nginx", "-p", "@DIR@", "-c", "@DIR@/nginx.conf", "-g", "pid @DIR@/nginx-{{.WorkerID}}.pid;",
			},
			Note: "`daemon off;` and a pid file of its own; TERM does not wait for requests, QUIT does",
		},
		{
			Name: "HAProxy", Package: "haproxy", Probe: []string{"haproxy", "-v"},
			Takes:   "`bind fd@3`",
			Flags:   []string{"--stop-signal", "USR1", "--reload", "roll"},
			Command: []string{"haproxy", "-db", "-f", "haproxy.cfg"},
			Note:    "TERM does not wait for requests, USR1 does; it takes HUP, and reloads nothing",
		},
		{
			Name: "HAProxy, master-worker", Package: "haproxy", Probe: []string{"haproxy", "-v"},
			Takes:   "`bind fd@3`",
			Flags:   []string{"--stop-signal", "USR1", "--reload", "signal", "--reload-signal", "USR2"},
			Command: []string{"haproxy", "-Ws", "-f", "haproxy.cfg"},
			Note: "when the leading process is killed the other one ends at once, with what it has; a stop signal in the first tenths of a second of " +
				"its life is lost on it, and brood kills it when its grace is over",
		},
		{
			Name: "lighttpd", Package: "lighttpd", Probe: []string{"lighttpd", "-v"},
			Takes:   "`server.systemd-socket-activation`; `server.bind` and `server.port` are the same address",
			Flags:   []string{"--stop-signal", "INT", "--reload", "signal", "--reload-signal", "USR1"},
			Command: []string{"lighttpd", "-D", "-f", "lighttpd.conf"},
			Note:    "TERM does not wait for requests, INT does; HUP only opens its logs anew, USR1 reads its file",
		},
		{
			Name: "h2o", Package: "h2o", Probe: []string{"h2o", "-v"},
			Takes:   "`SERVER_STARTER_PORT`",
			Flags:   []string{"-e", "SERVER_STARTER_PORT=127.0.0.1:@PORT@={{.FD.http}}"},
			Command: []string{"h2o", "-c", "h2o.conf"},
		},
		{
			Name: "cockpit-ws", Package: "cockpit-ws", Probe: []string{"/usr/lib/cockpit/cockpit-ws", "--version"},
			Takes:   "`LISTEN_FDS`",
			Command: []string{"/usr/lib/cockpit/cockpit-ws", "--no-tls"},
			Note:    "it has no handler for any stop signal: what it is answering when `--settle` is over fails",
		},
		{
			Name: "systemd-journal-gatewayd", Package: "systemd-journal-remote",
			Probe:   []string{"/lib/systemd/systemd-journal-gatewayd", "--version"},
			Takes:   "`LISTEN_FDS`",
			Command: []string{"/lib/systemd/systemd-journal-gatewayd"},
			Note:    "it has no handler for any stop signal: what it is answering when `--settle` is over fails",
		},
	}
}
