package webui

import (
	"net"
	"net/netip"
	"slices"
	"strings"
)

// hosts are the names by which the page may be asked for.
//
// A site can have its own name lead to this machine, whereupon browsers take its pages and ours for one origin (DNS rebinding).
// They still send that name as Host. So names are refused that are not known; addresses are not names, and nobody else can have
// localhost.
type hosts struct {
	known []string
	all   bool
}

func newHosts(known []string, all bool) hosts {
	h := hosts{all: all}
	for _, name := range known {
		h.known = append(h.known, strings.ToLower(name))
	}
	return h
}

// include takes a name or an address, with or without a port.
func (h hosts) include(host string) bool {
	if h.all {
		return true
	}
	name := host
	if cut, _, err := net.SplitHostPort(host); err == nil {
		name = cut
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || slices.Contains(h.known, name)
}
