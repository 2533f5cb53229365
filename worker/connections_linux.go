package worker

import (
	"bytes"
	"os"
	"slices"
	"strings"
)

// States of connections in the tables of proc(5) that a program has to do with: of
// the second one the client has gone.
const (
	tcpEstablished = "01"
	tcpCloseWait   = "08"
)

// Connections lists the inodes of the TCP connections of a local port that the
// worker's tree has open, in order. A worker that accepts connections has new ones
// from time to time: no inode is given twice within a short time. An error that
// wraps fs.ErrPermission says that the kernel does not let us look.
func Connections(pid, port int) ([]uint64, error) {
	var held []uint64
	_, err := anyOf(pid, func(member int) (bool, error) {
		fds, err := descriptors(member)
		for _, d := range fds {
			if d.inode != 0 {
				held = append(held, d.inode)
			}
		}
		return false, err
	})
	if err != nil || len(held) == 0 {
		return nil, err
	}
	known, err := connectionInodes(pid, port)
	if err != nil {
		return nil, err
	}
	slices.Sort(held)
	var found []uint64
	for _, inode := range slices.Compact(held) {
		if _, ok := slices.BinarySearch(known, inode); ok {
			found = append(found, inode)
		}
	}
	return found, nil
}

// connectionInodes finds the connections of a port in the worker's network
// namespace, and sorts them.
func connectionInodes(pid, port int) ([]uint64, error) {
	var inodes []uint64
	for _, file := range []string{"net/tcp", "net/tcp6"} {
		text, err := os.ReadFile(procPath(pid, file))
		if isGoneError(err) {
			continue // no IPv6 in this kernel, or the worker has ended
		}
		if err != nil {
			return nil, err
		}
		for _, state := range []string{tcpEstablished, tcpCloseWait} {
			inodes = append(inodes, parseSockets(text, state, port)...)
		}
	}
	slices.Sort(inodes)
	return inodes, nil
}

// Doing says in a few words what the leading thread of a worker is at, for people:
// its state and, if the kernel tells, the function in the kernel where it waits. See
// wchan in proc(5).
func Doing(pid int) string {
	s, err := statOf(pid)
	if err != nil {
		return "gone"
	}
	words := "state " + string(s.state)
	text, err := os.ReadFile(procPath(pid, "wchan"))
	place := string(bytes.TrimSpace(text))
	if err != nil || strings.Trim(place, "0") == "" {
		return words
	}
	return words + ", in " + place
}
