package listener

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"syscall"
)

var (
	// ErrInUse means that somebody else listens on the address. Errors of the kernel's own say syscall.EADDRINUSE;
	// errors.Is finds both.
	ErrInUse = fmt.Errorf("somebody listens on it: %w", syscall.EADDRINUSE)
	// ErrNoLane is returned by Dial where no connection can be sent to one shard alone.
	ErrNoLane = errors.New("no lane to a single worker")
	// ErrNoQueue is returned by Queue for sockets that do not tell how many connections wait.
	ErrNoQueue = errors.New("the socket does not tell its queue")
	// ErrClosed is returned by the methods of a Set or a Listener that is closed.
	ErrClosed = errors.New("listeners are closed")

	errNoPoller    = errors.New("a poller is needed")
	errDuplicate   = errors.New("another listener has the same name")
	errAddresses   = errors.New("systemd gave several addresses this name")
	errNotGiven    = errors.New("systemd gave no socket of this name")
	errNoReusePort = errors.New("systemd opened the socket without SO_REUSEPORT")
	errSeveral     = errors.New("systemd gave several sockets of this address, which only a sharded listener can use")
	errOrder       = errors.New("the order of the sockets in their group cannot be found out")
	errPathLong    = errors.New("path is longer than 107 bytes")
	errNotSocket   = errors.New("a file that is no socket is in the way")
	errTooMany     = errors.New("too many slots")
	errNoSlots     = errors.New("at least one slot is needed")
	errFixed       = errors.New("address and mode cannot change while it is open")
)

// OpenError says which listener could not be opened, and why.
type OpenError struct {
	Config Config
	Op     string // what was tried: "open", "bind", "listen", ...
	Err    error
	// Owner is the process that has the address already, as "pid 4711 (nginx)"; "" when it is not known.
	Owner string
}

func (e *OpenError) Error() string {
	s := fmt.Sprintf("cannot %s listener %s on %s: %v", e.Op, e.Config.Name, e.Config.Address, e.Err)
	if e.Owner != "" {
		s += ": " + e.Owner
	}
	return s
}

// portError is of one of the ports of a per-slot listener.
type portError struct {
	at   endpoint
	slot int
	err  error
}

func (e *portError) Error() string {
	return fmt.Sprintf("port %d of slot %d: %v", e.at.port, e.slot, e.err)
}

func (e *portError) Unwrap() error { return e.err }

// openError makes an error for the user, with the process that is in the way if there is one.
func openError(c Config, e endpoint, op string, err error) error {
	open := &OpenError{Config: c, Op: op, Err: err}
	if _, ours := errors.AsType[*heldError](err); ours || !errors.Is(err, syscall.EADDRINUSE) {
		return open
	}
	if port, ok := errors.AsType[*portError](err); ok {
		e = port.at
	}
	switch {
	case c.Address.Network == networkUnix:
		if pid, err := peerOf(c.Address.Path); err == nil {
			open.Owner = describe(pid)
		}
	case e.network != "":
		open.Owner = ownerOf(e)
	}
	return open
}

func (e *OpenError) Unwrap() error { return e.Err }

// Hint says what the user can do about it; "" when nothing better than the error itself is known.
func (e *OpenError) Hint() string {
	a := e.Config.Address
	if _, ours := errors.AsType[*heldError](e.Err); ours {
		return "close that listener first, or choose another address"
	}
	switch {
	case errors.Is(e.Err, syscall.EADDRINUSE) && e.Owner != "":
		return "stop it, or choose another address"
	case errors.Is(e.Err, syscall.EADDRINUSE) && a.Network == networkUnix:
		return "stop the process that has it, or choose another path; ss -xlp shows who"
	case errors.Is(e.Err, syscall.EADDRINUSE):
		return "stop the process that has it, or choose another address; ss -tulpn shows who, to root"
	case errors.Is(e.Err, syscall.EACCES) && a.isIP():
		return "a port this low needs CAP_NET_BIND_SERVICE; other ways are a systemd socket, an nftables redirect from port " +
			strconv.Itoa(a.Port) + " to a high one, or sysctl net.ipv4.ip_unprivileged_port_start"
	case errors.Is(e.Err, syscall.EADDRNOTAVAIL):
		return "no interface of this machine has the address; ip address shows those there are"
	case errors.Is(e.Err, syscall.EAFNOSUPPORT):
		return "this machine has no IPv6; use an IPv4 address"
	case errors.Is(e.Err, syscall.EMFILE), errors.Is(e.Err, syscall.ENFILE):
		return "raise LimitNOFILE= or ulimit -n; a sharded listener needs two descriptors per slot, mode=shared only one in all"
	case errors.Is(e.Err, errPathLong):
		return "use a shorter directory, as /run, or an abstract name, as unix:@" + e.Config.Name
	case errors.Is(e.Err, fs.ErrNotExist) && a.Network == networkUnix:
		return "make the directory " + filepath.Dir(a.Path) + " first; under systemd RuntimeDirectory= does it"
	case errors.Is(e.Err, fs.ErrPermission) && a.Network == networkUnix:
		return "this user may not do that in " + filepath.Dir(a.Path)
	}
	return e.hintConfig()
}

func (e *OpenError) hintConfig() string {
	switch {
	case errors.Is(e.Err, errNotSocket):
		return "remove the file, or choose another path"
	case errors.Is(e.Err, errDuplicate):
		return "give each listener a name of its own, as in --listen admin=:9090"
	case errors.Is(e.Err, errAddresses):
		return "take the others too, as systemd:" + numbered(e.Config.Address.Name, 2) + ", or give each .socket unit its own FileDescriptorName="
	case errors.Is(e.Err, errNotGiven):
		return "the .socket unit needs FileDescriptorName=" + e.Config.Address.Name + ", and must be active before the service"
	case errors.Is(e.Err, errNoReusePort):
		return "set ReusePort=yes in the .socket unit, or use mode=shared"
	case errors.Is(e.Err, errSeveral):
		return "use one .socket unit for the address, or leave the mode to brood"
	case errors.Is(e.Err, errOrder):
		return "use one .socket unit for the address"
	}
	return ""
}
