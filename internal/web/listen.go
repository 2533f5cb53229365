package web

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/broodctl/brood/internal/door"
	"github.com/broodctl/brood/listener"
)

// ListenError says why the address cannot be had.
type ListenError struct {
	Address listener.Address
	Key     string // what the user calls the address: an option, or a key of the configuration
	Err     error
}

func (e *ListenError) Error() string {
	return fmt.Sprintf("cannot serve HTTP on %s: %v", e.Address, e.Err)
}

func (e *ListenError) Unwrap() error { return e.Err }

// Hint says what the user can do about it; "" if nothing better than the error is known.
func (e *ListenError) Hint() string {
	switch a := e.Address; {
	case errors.Is(e.Err, syscall.EADDRINUSE) && a.Path != "":
		return "stop the process that has it, or choose another path with " + e.Key + "; ss -xlp shows who"
	case errors.Is(e.Err, syscall.EADDRINUSE):
		return "stop the process that has it, or choose another port with " + e.Key + "; ss -tlpn shows who, to root"
	case errors.Is(e.Err, syscall.EADDRNOTAVAIL):
		return "no interface of this machine has the address; ip address shows those there are"
	case errors.Is(e.Err, syscall.EACCES) && a.Path == "":
		return "a port this low needs CAP_NET_BIND_SERVICE; choose a higher one with " + e.Key
	case errors.Is(e.Err, fs.ErrNotExist):
		return "make the directory " + filepath.Dir(a.Path) + " first; under systemd RuntimeDirectory= does it"
	}
	return ""
}

// errInTheWay: there is a file of another kind at the path.
var errInTheWay = errors.New("a file that is no socket is in the way")

// Listen takes an address of TCP or of a unix socket, which gets mode 0660. key is what the user calls it. Errors are *ListenError.
func Listen(ctx context.Context, a listener.Address, key string) (*door.Door, error) {
	network, address := "tcp", net.JoinHostPort(a.Host, strconv.Itoa(a.Port))
	if a.Family != 0 {
		network += strconv.Itoa(a.Family)
	}
	if a.Path != "" {
		network, address = "unix", a.Path
		if err := clearAway(ctx, a.Path); err != nil {
			return nil, &ListenError{a, key, err}
		}
	}
	var how net.ListenConfig
	how.SetMultipathTCP(false) // as all sockets of brood
	l, err := how.Listen(ctx, network, address)
	if err != nil {
		return nil, &ListenError{a, key, cause(err)}
	}
	d, err := door.New(l)
	if err != nil {
		_ = l.Close()
		return nil, &ListenError{a, key, err}
	}
	if isFile(a.Path) {
		d.Unlink(a.Path)
		if err := os.Chmod(a.Path, 0o660); err != nil {
			_ = d.Close()
			return nil, &ListenError{a, key, err}
		}
	}
	return d, nil
}

// Adopt takes over an address that another program has left under this descriptor; see [door.Adopt].
func Adopt(fd int) (*door.Door, error) {
	d, err := door.Adopt(fd)
	if err != nil {
		return nil, fmt.Errorf("cannot serve HTTP: %w", err)
	}
	if at, ok := d.Addr().(*net.UnixAddr); ok && isFile(at.Name) {
		d.Unlink(at.Name)
	}
	return d, nil
}

// cause leaves out of an error of package net what ours says already.
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

// isFile reports whether a path is of a unix socket that is a file, and not in the abstract namespace of unix(7).
func isFile(path string) bool { return path != "" && !strings.HasPrefix(path, "@") }

// deadTime is how long a socket may take to refuse us; the kernel answers at once.
const deadTime = time.Second

// clearAway removes a socket that nobody listens on any more: the remains of a supervisor that was killed.
func clearAway(ctx context.Context, path string) error {
	if !isFile(path) {
		return nil
	}
	st, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case st.Mode().Type() != fs.ModeSocket:
		return errInTheWay
	}
	conn, err := (&net.Dialer{Timeout: deadTime}).DialContext(ctx, "unix", path)
	if err == nil {
		_ = conn.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return nil // somebody may be there: binding will say so
	}
	return os.Remove(path)
}
