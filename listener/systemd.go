package listener

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// firstInherited is SD_LISTEN_FDS_START of sd_listen_fds(3).
const firstInherited = 3

// unnamed is what sd_listen_fds_with_names(3) calls a socket without a name.
const unnamed = "unknown"

// StorePrefix begins the names of descriptors that a supervisor has put into the store of its service manager, and that
// come back from there beside the sockets. No unit has such a name.
const StorePrefix = "brood/"

// Inherited is a socket that the service manager opened for us.
type Inherited struct {
	FD   int
	Name string // its FileDescriptorName=, by itself the name of its unit, which several may share
}

// FromSystemd reads the sockets that systemd passes, by the rules of
// sd_listen_fds(3): LISTEN_PID must be pid, or nothing is meant for us; LISTEN_FDS
// descriptors begin at 3; LISTEN_FDNAMES names them, separated by colons. What is
// meant for us and makes no sense is an error, because to start without a socket
// would be worse than not to start. Each must be a listening stream socket or a
// datagram socket of IPv4, IPv6 or a listening unix socket; it is set to
// O_NONBLOCK and FD_CLOEXEC, and stays the caller's until NewSet has taken it.
// Those of StoredBySystemd are not among them.
func FromSystemd(getenv func(string) string, pid int) ([]Inherited, error) {
	all, err := readEnviron(getenv, pid)
	if err != nil {
		return nil, fmt.Errorf("cannot take sockets from systemd: %w", err)
	}
	all = slices.DeleteFunc(all, Inherited.stored)
	for _, in := range all {
		if err := adopt(in.FD); err != nil {
			return nil, fmt.Errorf("cannot take socket %s (descriptor %d) from systemd: %w", in.Name, in.FD, err)
		}
	}
	return all, nil
}

// StoredBySystemd reads the descriptors, of whatever kind, that came back from the store: those whose name begins with
// StorePrefix. They are set to FD_CLOEXEC.
func StoredBySystemd(getenv func(string) string, pid int) ([]Inherited, error) {
	all, err := readEnviron(getenv, pid)
	if err != nil {
		return nil, fmt.Errorf("cannot take what was stored from systemd: %w", err)
	}
	all = slices.DeleteFunc(all, func(in Inherited) bool { return !in.stored() })
	for _, in := range all {
		syscall.CloseOnExec(in.FD)
	}
	return all, nil
}

func (in Inherited) stored() bool { return strings.HasPrefix(in.Name, StorePrefix) }

func readEnviron(getenv func(string) string, pid int) ([]Inherited, error) {
	owner, fds := getenv("LISTEN_PID"), getenv("LISTEN_FDS")
	if owner == "" || fds == "" {
		return nil, nil
	}
	wanted, err := strconv.ParseInt(owner, 10, 32)
	if err != nil || wanted <= 0 {
		return nil, fmt.Errorf("LISTEN_PID=%q is not a process id", owner)
	}
	if int(wanted) != pid {
		return nil, nil // meant for a parent of ours that did not clean its environment
	}
	n, err := strconv.ParseUint(fds, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("LISTEN_FDS=%q is not a number of descriptors", fds)
	}
	names, err := readNames(getenv("LISTEN_FDNAMES"), int(n))
	if err != nil {
		return nil, err
	}
	all := make([]Inherited, n)
	for i := range all {
		all[i] = Inherited{FD: firstInherited + i, Name: names[i]}
	}
	return all, nil
}

func readNames(s string, n int) ([]string, error) {
	names := make([]string, n)
	if s != "" {
		given := strings.Split(s, ":")
		if len(given) != n {
			return nil, fmt.Errorf("LISTEN_FDNAMES has %d names, and LISTEN_FDS is %d", len(given), n)
		}
		copy(names, given)
	}
	for i := range names {
		if names[i] == "" {
			names[i] = unnamed
		}
		if strings.ContainsFunc(names[i], func(r rune) bool { return r < ' ' || r > '~' }) || len(names[i]) > maxName {
			return nil, errors.New("LISTEN_FDNAMES has a name that systemd would not allow")
		}
	}
	return names, nil
}
