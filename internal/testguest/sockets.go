package testguest

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/broodctl/brood/worker/handshake"
)

// named is a socket handed to the guest.
type named struct {
	name     string
	listener net.Listener
}

// inherited finds the guest's sockets as a careful program does: LISTEN_FDS, when
// LISTEN_PID is this very process, else the JSON object of BROOD_FDS.
func inherited(counters *counters) ([]named, error) {
	fds, err := fromSystemd()
	if err == nil && len(fds) == 0 {
		fds, err = fromBrood()
	}
	if err != nil {
		return nil, err
	}
	var sockets []named
	for name, fd := range fds {
		l, err := newListener(fd, counters)
		if err != nil {
			return nil, fmt.Errorf("cannot use socket %q on descriptor %d: %w", name, fd, err)
		}
		sockets = append(sockets, named{name, l})
	}
	return sockets, nil
}

func fromSystemd() (map[string]int, error) {
	count, told := os.LookupEnv(handshake.EnvListenFDs)
	if !told {
		return nil, nil
	}
	if pid := os.Getenv(handshake.EnvListenPID); pid != strconv.Itoa(os.Getpid()) {
		return nil, fmt.Errorf("%s is %q, and I am %d", handshake.EnvListenPID, pid, os.Getpid())
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("%s is %q", handshake.EnvListenFDs, count)
	}
	names := strings.Split(os.Getenv(handshake.EnvListenNames), ":")
	fds := make(map[string]int, n)
	for i := range n {
		name := "fd" + strconv.Itoa(i)
		if i < len(names) && names[i] != "" {
			name = names[i]
		}
		fds[name] = handshake.FirstFD + i
	}
	return fds, nil
}

func fromBrood() (map[string]int, error) {
	text, told := os.LookupEnv(handshake.EnvFDs)
	if !told {
		return nil, nil
	}
	var paths map[string]string
	if err := json.Unmarshal([]byte(text), &paths); err != nil {
		return nil, fmt.Errorf("%s is %q: %w", handshake.EnvFDs, text, err)
	}
	fds := make(map[string]int, len(paths))
	for name, path := range paths {
		fd, err := strconv.Atoi(strings.TrimPrefix(path, "/dev/fd/"))
		if err != nil {
			return nil, fmt.Errorf("%s is %q: %w", handshake.EnvFDs, text, err)
		}
		fds[name] = fd
	}
	return fds, nil
}
