package probe

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
)

var (
	errAddress = errors.New("it is HOST:PORT, :PORT, unix:/PATH or unix:@NAME")
	errNoDial  = errors.New("nothing leads to this worker alone")
	errSelf    = errors.New("the connection led back to itself")
)

// endpoint reads an address into what net.Dial takes.
func endpoint(address string) (network, target string, err error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		if len(path) < 2 || path[0] != '/' && path[0] != '@' || strings.ContainsRune(path, 0) {
			return "", "", errAddress
		}
		return "unix", path, nil
	}
	host, port, err := net.SplitHostPort(address)
	n, notNumber := strconv.ParseUint(port, 10, 16)
	if err != nil || notNumber != nil || n == 0 || strings.ContainsAny(host, " /@") {
		return "", "", errAddress
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return "tcp", net.JoinHostPort(host, port), nil
}

// dial connects to the worker, or to the address that is asked instead. The caller closes the connection.
func (c Config) dial(ctx context.Context, w World) (net.Conn, error) {
	conn, err := c.connect(ctx, w)
	switch {
	case err != nil && ctx.Err() != nil:
		// A queue that is full looks like this: the kernel drops the handshake without a word.
		return nil, &late{what: "no connection", within: c.Timeout}
	case err != nil:
		return nil, cause(err)
	case toItself(conn):
		_ = conn.Close()
		return nil, errSelf
	}
	return conn, nil
}

func (c Config) connect(ctx context.Context, w World) (net.Conn, error) {
	if c.Address == "" {
		if w.Dial == nil {
			return nil, errNoDial
		}
		return w.Dial(ctx)
	}
	network, target, err := endpoint(c.Address)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{KeepAlive: -1} // a connection of a second needs none
	return d.DialContext(ctx, network, target)
}

// toItself reports whether both ends are one socket. The kernel makes such a connection when a client happens to get
// the local port that it connects to, which nobody listens on then: see RFC 9293, section 3.5.
func toItself(conn net.Conn) bool {
	local, isTCP := conn.LocalAddr().(*net.TCPAddr)
	remote, ok := conn.RemoteAddr().(*net.TCPAddr)
	return isTCP && ok && local.AddrPort() == remote.AddrPort()
}

// hostOf is the Host of a request that names none.
func hostOf(conn net.Conn) string {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.String()
	}
	return "localhost"
}
