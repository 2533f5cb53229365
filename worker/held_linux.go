package worker

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// Connected are the inodes of the TCP connections that were open at a time: see
// ReadConnected.
type Connected map[uint64]struct{}

// ReadConnected finds the connections of some local ports, in our own network
// namespace: it is that of the sockets which workers get from us. Those that wait to
// be accepted are nobody's yet, and are not among them. It takes the kernel two
// milliseconds, which is what it needs to look through its table, and a microsecond
// for each connection that is open. Where sock_diag(7) is not to be had, as behind
// some filters, the tables of proc(5) are read, which list the closed ones as well.
func ReadConnected(ports []int) (Connected, error) {
	found := Connected{}
	var failed error
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		err := found.diagnose(family, ports)
		if !errors.Is(err, unix.ENOENT) { // no IPv6 in this kernel
			failed = errors.Join(failed, err)
		}
	}
	if failed == nil {
		return found, nil
	}
	for _, file := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		text, err := os.ReadFile(file)
		if isGoneError(err) {
			continue // no IPv6 in this kernel
		}
		if err != nil {
			return nil, fmt.Errorf("cannot list connections: %w", err)
		}
		found.add(text, ports)
	}
	return found, nil
}

// add reads the tables of proc(5): see parseSockets.
func (c Connected) add(text []byte, ports []int) {
	for line := range bytes.Lines(text) {
		var fields [10][]byte
		n := 0
		for field := range bytes.FieldsSeq(line) {
			if fields[n] = field; n == len(fields)-1 {
				break
			}
			n++
		}
		state := string(fields[3])
		if state != tcpEstablished && state != tcpCloseWait {
			continue
		}
		_, local, _ := bytes.Cut(fields[1], []byte(":"))
		port, err := strconv.ParseUint(string(local), 16, 16)
		if err != nil || !slices.Contains(ports, int(port)) {
			continue
		}
		if inode, err := strconv.ParseUint(string(fields[9]), 10, 64); err == nil && inode != 0 {
			c[inode] = struct{}{}
		}
	}
}

// Held counts those that some processes have open, each once, however many of them
// have it: it asks for the target of each descriptor, in about two microseconds. An
// error that wraps fs.ErrPermission says that the kernel does not let us look.
// Processes that have ended have none.
func (c Connected) Held(members []int) (int, error) {
	if len(c) == 0 {
		return 0, nil
	}
	held := map[uint64]struct{}{}
	for _, pid := range members {
		err := eachSocket(pid, func(inode uint64) {
			if _, ok := c[inode]; ok {
				held[inode] = struct{}{}
			}
		})
		if err != nil && !isGoneError(err) {
			return 0, fmt.Errorf("cannot see the connections of process %d: %w", pid, err)
		}
	}
	return len(held), nil
}

// eachSocket calls do for the inode of each socket that a process has open.
func eachSocket(pid int, do func(inode uint64)) error {
	dir, err := unix.Open(procPath(pid, "fd"), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	entries := make([]byte, 4096)
	var target [32]byte // more than the largest "socket:[18446744073709551615]" has
	var names []string
	for {
		n, err := unix.ReadDirent(dir, entries)
		if err != nil || n <= 0 {
			return err
		}
		_, _, names = unix.ParseDirent(entries[:n], -1, names[:0])
		for _, name := range names {
			n, err := unix.Readlinkat(dir, name, target[:])
			switch {
			case errors.Is(err, fs.ErrPermission):
				return err
			case err != nil:
				continue // closed meanwhile
			}
			if inode, ok := socketInode(target[:n]); ok {
				do(inode)
			}
		}
	}
}

// socketInode reads "socket:[4711]".
func socketInode(target []byte) (uint64, bool) {
	number, ok := bytes.CutPrefix(target, []byte("socket:["))
	if !ok {
		return 0, false
	}
	inode, err := strconv.ParseUint(string(bytes.TrimSuffix(number, []byte("]"))), 10, 64)
	return inode, err == nil
}
