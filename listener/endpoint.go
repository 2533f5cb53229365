package listener

import "net/netip"

// endpoint is an IP address as the kernel wants it.
type endpoint struct {
	network string // tcp or udp
	ip      netip.Addr
	port    int
	only6   bool // IPV6_V6ONLY; a socket for [::] without it takes IPv4 as well
	// either is an endpoint for "all addresses" that may become 0.0.0.0 where the machine has no IPv6.
	either bool
}

// endpointOf turns a TCP or UDP address that ParseAddress made into an endpoint.
func endpointOf(a Address) (endpoint, error) {
	e := endpoint{network: a.Network, port: a.Port, only6: a.Family == 6}
	host := a.Host
	switch {
	case host == localhost && a.Family == 6:
		host = "::1"
	case host == localhost:
		host = "127.0.0.1"
	case host == "" && a.Family == 4:
		host = "0.0.0.0"
	case host == "":
		host, e.either = "::", a.Family == 0
	}
	ip, err := netip.ParseAddr(host)
	e.ip = ip
	return e, err
}

// address is the opposite of endpointOf.
func (e endpoint) address() Address {
	a := Address{Network: e.network, Host: e.ip.String(), Port: e.port}
	if e.ip == netip.IPv6Unspecified() {
		a.Host = ""
		if e.only6 {
			a.Family = 6
		}
	}
	return a
}

func (e endpoint) ipv6() bool { return e.ip.Is6() }

// ipv4 also holds for sockets of IPv6 that take IPv4.
func (e endpoint) ipv4() bool { return e.ip.Is4() || e.ip == netip.IPv6Unspecified() && !e.only6 }

// same tells whether two sockets have one address, so that they are one group.
func (e endpoint) same(o endpoint) bool {
	return e.network == o.network && e.port == o.port && e.ip == o.ip && e.only6dual() == o.only6dual()
}

// only6dual is only6 where it makes a difference.
func (e endpoint) only6dual() bool { return e.only6 && e.ip == netip.IPv6Unspecified() }

// overlaps tells whether a socket on other, of the same port, takes some of the same connections.
func (e endpoint) overlaps(other netip.Addr) bool {
	other = other.Unmap()
	if e.ip.WithZone("") == other {
		return true
	}
	if other.IsUnspecified() {
		return other.Is6() || e.ip.Is4() || e.ipv4()
	}
	return e.ip.IsUnspecified() && (other.Is4() && e.ipv4() || other.Is6() && e.ipv6())
}

// meets tells whether two sockets of one port, neither with SO_REUSEPORT, could not both be bound.
func (e endpoint) meets(o endpoint) bool {
	switch {
	case e.network != o.network:
		return false
	case e.ipv6() == o.ipv6():
		return e.ip == o.ip || e.ip.IsUnspecified() || o.ip.IsUnspecified()
	}
	return e.ipv4() && o.ipv4() // one of them is [::] and takes IPv4 as well
}

// loopback is where this machine reaches the endpoint.
func (e endpoint) loopback() netip.Addr {
	switch {
	case !e.ip.IsUnspecified():
		return e.ip
	case e.ipv4():
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}
