package listener

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// holder is one line of /proc/net/tcp and its like: a socket that listens or is bound.
type holder struct {
	addr  netip.AddrPort
	inode uint64
}

const stateListen = "0A" // TCP_LISTEN of include/net/tcp_states.h

// holders reads the listening TCP sockets, or the bound UDP sockets, of this network namespace; see proc_net(5). What
// cannot be read is left out: it serves messages and a second look only.
func holders(network string) []holder {
	var all []holder
	for _, file := range []string{network, network + "6"} {
		f, err := os.Open("/proc/thread-self/net/" + file)
		if err != nil {
			continue
		}
		lines := bufio.NewScanner(f)
		lines.Scan() // the heading
		for lines.Scan() {
			fields := strings.Fields(lines.Text())
			if len(fields) < 10 {
				continue
			}
			// Listeners come first; behind them may be a hundred thousand connections.
			if network == networkTCP && fields[3] != stateListen {
				break
			}
			if addr, err := procAddr(fields[1]); err == nil {
				inode, _ := strconv.ParseUint(fields[9], 10, 64)
				all = append(all, holder{addr, inode})
			}
		}
		_ = f.Close()
	}
	return all
}

// procAddr reads 0100007F:1F90: words of the address as the machine has them in memory, then the port.
func procAddr(s string) (netip.AddrPort, error) {
	host, port, _ := strings.Cut(s, ":")
	raw, err := hex.DecodeString(host)
	if err != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, fmt.Errorf("cannot read address %q of /proc", s)
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	addr, ok := netip.AddrFromSlice(raw)
	number, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		return netip.AddrPort{}, fmt.Errorf("cannot read address %q of /proc", s)
	}
	return netip.AddrPortFrom(addr, uint16(number)), nil
}

// ownerOf names the process that holds an address overlapping e; "" when it cannot be told, which is the rule for
// processes of other users.
func ownerOf(e endpoint) string {
	for _, h := range holders(e.network) {
		if int(h.addr.Port()) != e.port || !e.overlaps(h.addr.Addr()) {
			continue
		}
		if owner := processWith(h.inode); owner != "" {
			return owner
		}
	}
	return ""
}

// processWith names the first process that has the socket open.
func processWith(inode uint64) string {
	want := fmt.Sprintf("socket:[%d]", inode)
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*") // its only error is a bad pattern
	for _, link := range links {
		if to, err := os.Readlink(link); err != nil || to != want {
			continue
		}
		pid, err := strconv.Atoi(strings.Split(link, "/")[2])
		if err != nil {
			continue
		}
		return describe(pid)
	}
	return ""
}

// describe is "pid 4711 (nginx)", or says that it is we.
func describe(pid int) string {
	if pid == os.Getpid() {
		return "this process has it open already"
	}
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if errors.Is(err, os.ErrNotExist) || len(comm) == 0 {
		return fmt.Sprintf("pid %d", pid)
	}
	return fmt.Sprintf("pid %d (%s)", pid, bytes.TrimSpace(comm))
}
