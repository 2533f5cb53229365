package compat

// languages have HTTP servers of their own.
func languages() []Server {
	return []Server{
		{
			Name: "Node http", Package: "nodejs", Probe: []string{"node", "--version"},
			Takes:   "`server.listen({fd: 3})`",
			Command: []string{"node", "server.js"},
			Note:    "an unhandled SIGHUP ends Node, so brood does not send it",
		},
		{
			Name: "express", Package: "node-express", Probe: []string{"node", "-p", "require('express/package.json').version"},
			Takes:   "`app.listen({fd: 3})`",
			Flags:   []string{"-e", "NODE_PATH=" + debian},
			Command: []string{"node", "express.js"},
			Note:    "`NODE_PATH` is where Debian keeps its modules; with npm's it is not needed",
		},
		{
			Name: "Go net/http, activation", Package: "Go", Probe: []string{"go", "version"},
			Takes: "go-systemd, `activation.ListenersWithNames()`",
			Build: "github.com/broodctl/brood/internal/compat/gohttp", Command: []string{"./server"},
			Note: "the program is `internal/compat/gohttp`",
		},
		{
			Name: "Go net/http, worker/self", Package: "Go", Probe: []string{"go", "version"},
			Takes: "`self.Listener(\"http\")`",
			Build: "github.com/broodctl/brood/examples/worker", Command: []string{"./server"},
			Note: "the program is `examples/worker`, which says that it handles SIGHUP, so that `brood reload` relays it",
		},
		{
			Name: "JVM", Package: "openjdk-17-jdk-headless", Probe: []string{"java", "--version"},
			Takes:   "`System.inheritedChannel()`, which is descriptor 0",
			Flags:   []string{"--clean-exit", "143"},
			Command: []string{"sh", "-c", "exec java -XX:+UseSerialGC Hello.java <&3"},
			Note:    "a shutdown hook closes the channel and waits for what is under way",
		},
	}
}
