package worker

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Serving tells whether some process of the worker's tree waits for connections
// (or datagrams) on one of the sockets with these inodes: has it in an epoll set,
// or has a thread blocked in accept(2), a relative of recv(2), poll(2) or
// select(2) on it. It is what shows readiness without the program's help.
//
// A false may also mean that the program waits in a way that is not visible
// (io_uring) or not to us: an error that wraps fs.ErrPermission says that the
// kernel does not let us look.
func Serving(pid int, inodes []uint64) (bool, error) {
	return anyOf(pid, func(member int) (bool, error) { return serves(member, inodes) })
}

// ServingPort tells whether some process of the worker's tree has a TCP socket
// that listens on port, or a UDP socket that is bound to it.
func ServingPort(pid, port int) (bool, error) {
	inodes, err := portInodes(pid, port)
	if err != nil {
		if isGoneError(err) {
			err = nil
		}
		return false, err
	}
	if len(inodes) == 0 {
		return false, nil
	}
	return anyOf(pid, func(member int) (bool, error) {
		fds, err := descriptors(member)
		if err != nil {
			return false, err
		}
		for _, d := range fds {
			if slices.Contains(inodes, d.inode) {
				return true, nil
			}
		}
		return false, nil
	})
}

// anyOf asks each process of the tree. Those that end meanwhile do not serve;
// what is forbidden counts only if none of the others gives a yes.
func anyOf(pid int, ask func(member int) (bool, error)) (bool, error) {
	tree, err := Tree(pid)
	if err != nil {
		return false, err
	}
	var first error
	for _, member := range tree {
		yes, err := ask(member)
		if yes {
			return true, nil
		}
		if err != nil && !isGoneError(err) && first == nil {
			first = fmt.Errorf("cannot observe process %d: %w", member, err)
		}
	}
	return false, first
}

func serves(pid int, inodes []uint64) (bool, error) {
	fds, err := descriptors(pid)
	if err != nil {
		return false, err
	}
	held := map[int]bool{} // descriptor -> is one of the sockets
	for _, d := range fds {
		if d.epoll {
			yes, err := epollWatches(pid, d.fd, inodes)
			if yes || err != nil && !isGoneError(err) {
				return yes, err
			}
		}
		if slices.Contains(inodes, d.inode) {
			held[d.fd] = true
		}
	}
	if len(held) == 0 {
		return false, nil
	}
	tids, err := threads(pid)
	if err != nil {
		return false, err
	}
	for _, tid := range tids {
		yes, err := threadWaits(pid, tid, held)
		if yes || err != nil && !isGoneError(err) {
			return yes, err
		}
	}
	return false, nil
}

// descriptor is an entry of /proc/PID/fd that can be of interest.
type descriptor struct {
	fd    int
	epoll bool
	inode uint64 // of a socket
}

func descriptors(pid int) ([]descriptor, error) {
	dir := procPath(pid, "fd")
	fds, err := numbers(dir)
	if err != nil {
		return nil, err
	}
	var list []descriptor
	for _, fd := range fds {
		target, err := os.Readlink(dir + "/" + strconv.Itoa(fd))
		if errors.Is(err, fs.ErrPermission) {
			return nil, err // root may list another user's without CAP_SYS_PTRACE, as in most containers, but not look
		}
		if err != nil {
			continue // closed meanwhile
		}
		if target == "anon_inode:[eventpoll]" {
			list = append(list, descriptor{fd: fd, epoll: true})
			continue
		}
		if number, ok := strings.CutPrefix(target, "socket:["); ok {
			inode, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 64)
			if err == nil {
				list = append(list, descriptor{fd: fd, inode: inode})
			}
		}
	}
	return list, nil
}

// epollWatches reads lines like these, where events are the bits of epoll_ctl(2)
// and numbers after "ino:" are hexadecimal:
//
//	tfd:        3 events:       19 data: 7f7...  pos:0 ino:1a2b sdev:8
func epollWatches(pid, fd int, inodes []uint64) (bool, error) {
	text, err := os.ReadFile(procPath(pid, "fdinfo/"+strconv.Itoa(fd)))
	if err != nil {
		return false, err
	}
	return parseEpoll(text, inodes), nil
}

func parseEpoll(text []byte, inodes []uint64) bool {
	const in = 0x001 // EPOLLIN: a socket that is only kept in the set does not count
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte("tfd:")) {
			continue
		}
		events, ok1 := hexAfter(line, "events:")
		inode, ok2 := hexAfter(line, "ino:")
		if ok1 && ok2 && events&in != 0 && slices.Contains(inodes, inode) {
			return true
		}
	}
	return false
}

func hexAfter(line []byte, key string) (uint64, bool) {
	_, rest, ok := bytes.Cut(line, []byte(key))
	if !ok {
		return 0, false
	}
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(fields[0]), 16, 64)
	return n, err == nil
}

// portInodes finds the sockets on a port in the worker's network namespace.
func portInodes(pid, port int) ([]uint64, error) {
	var inodes []uint64
	for _, table := range []struct{ file, state string }{
		{"net/tcp", "0A"}, {"net/tcp6", "0A"}, // TCP_LISTEN
		{"net/udp", "07"}, {"net/udp6", "07"}, // TCP_CLOSE: not connected
	} {
		text, err := os.ReadFile(procPath(pid, table.file))
		if errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(table.file, "6") {
			continue // no IPv6 in this kernel
		}
		if err != nil {
			return nil, err
		}
		inodes = append(inodes, parseSockets(text, table.state, port)...)
	}
	return inodes, nil
}

// parseSockets reads the tables of proc(5): number, local address, remote
// address, state, queues, timer, retransmits, uid, timeout, inode.
func parseSockets(text []byte, state string, port int) []uint64 {
	var inodes []uint64
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) < 10 || string(fields[3]) != state {
			continue
		}
		_, local, _ := bytes.Cut(fields[1], []byte(":"))
		if n, err := strconv.ParseUint(string(local), 16, 16); err != nil || int(n) != port {
			continue
		}
		if inode, err := strconv.ParseUint(string(fields[9]), 10, 64); err == nil {
			inodes = append(inodes, inode)
		}
	}
	return inodes
}
