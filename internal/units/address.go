package units

import (
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/listener"
)

// slots counts the workers that share a listener.
func (d *draft) slots(l *config.Listener) int {
	n := 1
	for i := range d.cfg.Pools {
		if p := &d.cfg.Pools[i]; slices.Contains(p.Listen, l.Name) {
			n = max(n, p.MostWorkers())
		}
	}
	return n
}

// passed says whether systemd is to open a listener that has an address.
func (d *draft) passed(l *config.Listener) bool {
	a := l.Address
	switch {
	case !d.opt.Sockets, a.Network == networkSystemd, l.Mode == listener.PerSlot:
		return false
	case a.Network == networkUnix:
		return true
	}
	return a.Port != 0 // brood finds a socket by its address
}

// streams is the address as ListenStream= takes it, and BindIPv6Only= where the default, a sysctl, will not do.
func streams(a listener.Address) (address, only6 string) {
	host := a.Host
	switch {
	case a.Network == networkUnix:
		return a.Path, ""
	case host == "localhost" && a.Family == 6:
		host = "::1"
	case host == "localhost":
		host = "127.0.0.1"
	case host == "" && a.Family == 4:
		host = "0.0.0.0"
	case host == "":
		host = "::"
	}
	switch {
	case a.Family == 6 && host == "::":
		return net.JoinHostPort(host, strconv.Itoa(a.Port)), "ipv6-only"
	case a.Host == "" && a.Family == 0: // both versions, or the one that the machine has
		return strconv.Itoa(a.Port), "both"
	case host == "::":
		return net.JoinHostPort(host, strconv.Itoa(a.Port)), "both"
	}
	return net.JoinHostPort(host, strconv.Itoa(a.Port)), ""
}

// placed tells an address of one interface, which may not be there yet at boot, from those that always are.
func placed(a listener.Address) bool {
	ip, err := netip.ParseAddr(a.Host)
	return err == nil && !ip.IsUnspecified() && !ip.IsLoopback()
}
