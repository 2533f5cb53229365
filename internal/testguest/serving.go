package testguest

import (
	"fmt"
	"net"
	"os"
	"time"

	"github.com/broodctl/brood/worker/handshake"
)

// serveHTTP is the guest that behaves.
func serveHTTP(args []string) int { return serveWith("http", args, options{}) }

// slowReady says READY=1, but late.
func slowReady(args []string) int {
	return serveWith("slow-ready", args, options{notify: true, after: time.Second})
}

// stubborn obeys nothing but KILL.
func stubborn(args []string) int { return serveWith("stubborn", args, options{stubborn: true}) }

// recycling ends by itself, as a gunicorn worker with max_requests does.
func recycling(args []string) int { return serveWith("recycling", args, options{requests: 100}) }

func serveWith(name string, args []string, o options) int {
	flags := newFlags(name)
	o.bind(flags)
	if code, ok := parse(flags, args); !ok {
		return code
	}
	return serve(o, inherited)
}

// portOnly knows nothing of sockets: it binds $PORT on loopback.
func portOnly(args []string) int {
	flags := newFlags("port-only")
	var o options
	o.bind(flags)
	if code, ok := parse(flags, args); !ok {
		return code
	}
	return serve(o, func(*counters) ([]named, error) {
		address := net.JoinHostPort("127.0.0.1", os.Getenv(handshake.EnvPort))
		l, err := net.Listen("tcp", address)
		if err != nil {
			return nil, fmt.Errorf("cannot listen on $%s: %w", handshake.EnvPort, err)
		}
		return []named{{handshake.EnvPort, l}}, nil
	})
}
