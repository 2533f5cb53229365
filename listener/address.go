package listener

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// The values of Address.Network.
const (
	networkTCP     = "tcp"
	networkUDP     = "udp"
	networkUnix    = "unix"
	networkSystemd = "systemd"
)

const localhost = "localhost"

// Address says where to listen. Which fields matter depends on Network.
type Address struct {
	Network string // "tcp", "udp", "unix" or "systemd"
	// Family is 4 or 6 when only that version of IP may be used (tcp4:, udp6:), else 0.
	Family int
	// Host is an IP address in its shortest form, "localhost", or "" for all addresses of the machine, of both versions.
	Host string
	Port int    // 0 lets the kernel choose
	Path string // of a unix socket; a leading @ means the abstract namespace, see unix(7)
	Name string // the FileDescriptorName= of systemd.socket(5)
}

// ParseAddress reads one of
//
//	:8080  *:8080  127.0.0.1:8080  [::1]:8080  localhost:8080
//	tcp:ADDR  tcp4:ADDR  tcp6:ADDR  udp:ADDR  udp4:ADDR  udp6:ADDR
//	unix:/run/x.sock  unix:@abstract  systemd:NAME
//
// Names of hosts other than localhost are refused: what a supervisor listens on
// must not depend on a name server.
func ParseAddress(s string) (Address, error) {
	a, err := parseAddress(s)
	if err != nil {
		return Address{}, fmt.Errorf("cannot read address %q: %w", s, err)
	}
	return a, nil
}

func parseAddress(s string) (Address, error) {
	prefix, rest, ok := strings.Cut(s, ":")
	if !ok {
		if _, err := parsePort(s); err == nil {
			return Address{}, fmt.Errorf("a port alone is written :%s", s)
		}
		return Address{}, errors.New("it has no port; examples are :8080, [::1]:80, unix:/run/x.sock")
	}
	switch prefix {
	case "unix":
		return parsePath(rest)
	case "systemd":
		if err := CheckName(rest); err != nil {
			return Address{}, err
		}
		return Address{Network: networkSystemd, Name: rest}, nil
	case "tcp", "udp":
		return parseHostPort(Address{Network: prefix}, rest)
	case "tcp4", "udp4":
		return parseHostPort(Address{Network: prefix[:3], Family: 4}, rest)
	case "tcp6", "udp6":
		return parseHostPort(Address{Network: prefix[:3], Family: 6}, rest)
	}
	return parseHostPort(Address{Network: networkTCP}, s)
}

func parsePath(path string) (Address, error) {
	if path == "" || path == "@" {
		return Address{}, errors.New("the path is empty")
	}
	if strings.ContainsRune(path, 0) {
		return Address{}, errors.New("the path has a zero byte")
	}
	return Address{Network: networkUnix, Path: path}, nil
}

func parseHostPort(a Address, s string) (Address, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		if bad, ok := errors.AsType[*net.AddrError](err); ok {
			return Address{}, errors.New(bad.Err)
		}
		return Address{}, err
	}
	if a.Port, err = parsePort(port); err != nil {
		return Address{}, err
	}
	if host == "" || host == "*" || host == localhost {
		a.Host = strings.TrimPrefix(host, "*")
		return a, nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return Address{}, fmt.Errorf("host %q is neither an IP address nor localhost", host)
	}
	ip = ip.Unmap()
	if strings.ContainsFunc(ip.Zone(), func(r rune) bool { return r <= ' ' || strings.ContainsRune("[]%/,=", r) }) {
		return Address{}, fmt.Errorf("zone %q is not the name of an interface", ip.Zone())
	}
	if a.Family == 4 && !ip.Is4() || a.Family == 6 && !ip.Is6() {
		return Address{}, fmt.Errorf("%s is not an IPv%d address", host, a.Family)
	}
	a.Host = ip.String()
	return a, nil
}

func parsePort(s string) (int, error) {
	port, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("port %q is not a number from 0 to 65535", s)
	}
	return int(port), nil
}

// CheckName refuses what cannot name a listener: what systemd would not allow in FileDescriptorName=, and the signs that
// ParseFlag and the separators of LISTEN_FDNAMES need for themselves.
func CheckName(name string) error {
	switch {
	case name == "":
		return errors.New("the name is empty")
	case len(name) > maxName:
		return errors.New("the name is longer than 255 bytes")
	case strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(":,=", r) }):
		return fmt.Errorf("name %q has a sign other than printable ASCII without colon, comma, equals sign and space", name)
	}
	return nil
}

// String writes the address so that ParseAddress reads the same one back.
func (a Address) String() string {
	switch a.Network {
	case networkUnix, networkSystemd:
		return a.Network + ":" + a.HostPort()
	case networkTCP:
		if a.Family == 0 {
			return a.HostPort()
		}
	}
	prefix := a.Network
	if a.Family != 0 {
		prefix += strconv.Itoa(a.Family)
	}
	return prefix + ":" + a.HostPort()
}

// HostPort is the address without its network: host:port, the path of a unix socket, or the name systemd gave it.
func (a Address) HostPort() string {
	switch a.Network {
	case networkUnix:
		return a.Path
	case networkSystemd:
		return a.Name
	}
	return net.JoinHostPort(a.Host, strconv.Itoa(a.Port))
}

// isIP tells TCP and UDP addresses from the others.
func (a Address) isIP() bool { return a.Network == networkTCP || a.Network == networkUDP }

// isAbstract tells unix sockets without a file.
func (a Address) isAbstract() bool { return strings.HasPrefix(a.Path, "@") }
