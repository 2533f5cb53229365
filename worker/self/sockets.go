package self

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/broodctl/brood/worker/handshake"
)

// ErrNotPassed tells that no socket of that name was passed: the program was
// started without a supervisor, or has to bind a port of its own (PORT).
var ErrNotPassed = errors.New("no such socket was passed")

// Listener returns the stream socket passed under name. Each call returns a new
// listener on the same socket; closing it closes nothing for others.
func Listener(name string) (net.Listener, error) {
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("cannot use socket %q as listener: %w", name, err)
	}
	return l, nil
}

// PacketConn is Listener for datagram sockets.
func PacketConn(name string) (net.PacketConn, error) {
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := net.FilePacketConn(f)
	if err != nil {
		return nil, fmt.Errorf("cannot use socket %q for datagrams: %w", name, err)
	}
	return c, nil
}

// Listeners returns every stream socket that was passed, by name: none without a
// supervisor. Datagram sockets are left out.
func Listeners() (map[string]net.Listener, error) {
	fds, err := passed()
	if err != nil {
		return nil, err
	}
	all := make(map[string]net.Listener, len(fds))
	for name, fd := range fds {
		kind, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TYPE)
		if err == nil && kind == syscall.SOCK_DGRAM {
			continue
		}
		if all[name], err = Listener(name); err != nil {
			delete(all, name)
			for _, l := range all {
				_ = l.Close()
			}
			return nil, err
		}
	}
	return all, nil
}

// open duplicates the descriptor: an os.File closes its own when it is collected,
// and the next call shall find the original.
func open(name string) (*os.File, error) {
	fds, err := passed()
	if err != nil {
		return nil, err
	}
	fd, ok := fds[name]
	if !ok {
		return nil, fmt.Errorf("cannot use socket %q: %w", name, ErrNotPassed)
	}
	syscall.CloseOnExec(fd) // for the children of this program: as sd_listen_fds(3)
	dup, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, handshake.FirstFD)
	if errno != 0 {
		return nil, fmt.Errorf("cannot use socket %q, descriptor %d: %w", name, fd, errno)
	}
	return os.NewFile(dup, name), nil
}

// passed maps names to descriptors. Those meant for another process, an ancestor
// whose environment we have inherited, do not count.
func passed() (map[string]int, error) {
	pid := os.Getenv(handshake.EnvListenPID)
	if pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	if object := os.Getenv(handshake.EnvFDs); object != "" {
		return fromBrood(object)
	}
	if pid == "" {
		return nil, nil
	}
	return fromSystemd(os.Getenv(handshake.EnvListenFDs), os.Getenv(handshake.EnvListenNames))
}

func fromBrood(object string) (map[string]int, error) {
	var paths map[string]string
	if err := json.Unmarshal([]byte(object), &paths); err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", handshake.EnvFDs, err)
	}
	fds := make(map[string]int, len(paths))
	for name, path := range paths {
		fd, err := strconv.Atoi(strings.TrimPrefix(path, "/dev/fd/"))
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", handshake.EnvFDs, err)
		}
		fds[name] = fd
	}
	return fds, nil
}

func fromSystemd(count, names string) (map[string]int, error) {
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("cannot read %s=%q: it is not a count", handshake.EnvListenFDs, count)
	}
	list := strings.Split(names, ":")
	fds := make(map[string]int, n)
	for i := range n {
		name := "unknown" // as sd_listen_fds_with_names(3)
		if i < len(list) && list[i] != "" {
			name = list[i]
		}
		if _, ok := fds[name]; ok {
			return nil, fmt.Errorf("two sockets are named %q: give each its own FileDescriptorName=", name)
		}
		fds[name] = handshake.FirstFD + i
	}
	return fds, nil
}
