package compat

// Strangers take no socket, or not ours. Each has a port per worker instead, and
// rules of nftables spread the connections.
func Strangers() []Stranger {
	return []Stranger{
		{
			Name: "Apache httpd", Package: "apache2-bin", Probe: []string{"apache2", "-v"},
			Why:     "Debian's has no socket activation",
			Flags:   []string{"--stop-signal", "WINCH"},
			Command: []string{"apache2", "-f", "@DIR@/apache.conf", "-DFOREGROUND"},
		},
		{
			Name: "Caddy", Package: "caddy", Probe: []string{"caddy", "version"},
			Why:     "this version knows addresses alone; later ones have `bind fd/3`",
			Command: []string{"caddy", "respond", "--listen", "{{.Addr.http}}", "hello"},
		},
		{
			Name: "thin", Package: "thin", Probe: []string{"thin", "--version"},
			Why:     "it binds by itself",
			Command: []string{"thin", "-R", "config.ru", "-a", "127.0.0.1", "-p", "{{.Port.http}}", "start"},
		},
		{
			Name: "Starman", Package: "starman", Probe: []string{"starman", "--version"},
			Why: "it takes one (`SERVER_STARTER_PORT`), but waits in accept(2), and sleeps a second when the socket does not block, " +
				"as those of brood do not",
			Flags:   []string{"--stop-signal", "QUIT"},
			Command: []string{"starman", "--workers", "2", "--listen", "{{.Addr.http}}", "app.psgi"},
		},
		{
			Name: "Twiggy", Package: "twiggy", Probe: []string{"twiggy", "--version"},
			Why:     "it binds by itself",
			Command: []string{"twiggy", "--listen", "{{.Addr.http}}", "app.psgi"},
		},
		{
			Name: "waitress-serve", Package: "python3-waitress", Probe: pythonVersion("waitress"),
			Why:     "its command knows addresses alone; its function takes sockets, see above",
			Command: []string{"python3", "-m", "waitress", "--listen", "{{.Addr.http}}", "wsgi:app"},
		},
	}
}
