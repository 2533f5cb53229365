package config

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"github.com/broodctl/brood/listener"
)

// loopback is where a port alone is opened for HTTP: what answers there shows how the service does, and that is nobody's
// business unless somebody says so.
const loopback = "127.0.0.1"

var errNotHTTP = errors.New("it is a port, an address such as 127.0.0.1:9180, or unix:/PATH")

// http reads where probes and metrics are answered.
func (r *resolver) http(key, word string) {
	if word == "" {
		return
	}
	a, err := parseHTTP(word)
	if err != nil {
		r.bad(key, "", "cannot read %s: %v", r.name(key), err)
		return
	}
	r.cfg.HTTP = a
}

func parseHTTP(word string) (listener.Address, error) {
	if _, err := strconv.ParseUint(word, 10, 16); err == nil {
		word = loopback + ":" + word
	}
	a, err := listener.ParseAddress(word)
	if err == nil && a.Network != "tcp" && a.Network != "unix" {
		err = fmt.Errorf("cannot read address %q: %w", word, errNotHTTP)
	}
	return a, err
}

// hostName is a name as browsers send it, without a port.
var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

// httpHosts reads the names of the dashboard.
func (r *resolver) httpHosts(key string, names []string) {
	if len(names) > 0 && r.file.Supervisor.HTTP == "" {
		r.bad(key, "", "http_hosts means nothing without http")
	}
	for i, name := range names {
		if !hostName.MatchString(name) {
			r.bad(item(key, i), "it is a name such as brood.example.org, without a port", "cannot read host %q", name)
		}
	}
	r.cfg.HTTPHosts = names
}

// httpPort reports a listener that has the address of the probes, or takes it when its workers get theirs.
func (r *resolver) httpPort(key string, c claim) {
	a, b := c.config.Address, r.cfg.HTTP
	switch {
	case a.Network != b.Network:
	case a.Network == "unix" && a.Path == b.Path:
		r.bad(key, "", "listener %s has the same path as http of [supervisor]", c.config.Name)
	case a.Network == "tcp" && b.Port != 0 && c.first <= b.Port && b.Port <= c.last && sameHost(a, b):
		r.bad(key, "", "listener %s takes port %d, which http of [supervisor] has", c.config.Name, b.Port)
	}
}
