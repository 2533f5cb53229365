package control

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// caller is who is at the other end of a connection to the server.
type caller struct {
	uid, gid, pid int
	groups        []int
}

func callerOf(conn net.Conn) (caller, error) {
	var who caller
	err := withDescriptor(conn, func(fd int) error {
		cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err != nil {
			return err
		}
		who = caller{uid: int(cred.Uid), gid: int(cred.Gid), pid: int(cred.Pid)}
		who.groups, err = peerGroups(fd)
		return err
	})
	return who, err
}

// peerGroups reads the supplementary groups, as SO_PEERGROUPS of Linux 4.13 tells them.
func peerGroups(fd int) ([]int, error) {
	buf := make([]byte, 4*64)
	for {
		size := uint32(len(buf))
		// x/sys has no wrapper for options of any length.
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(&buf[0])), uintptr(unsafe.Pointer(&size)), 0)
		switch {
		case errno == unix.ERANGE && int(size) > len(buf): // it says how much there is
			buf = make([]byte, size)
			continue
		case errno != 0:
			return nil, fmt.Errorf("cannot read groups of peer: %w", errno)
		}
		groups := make([]int, size/4)
		for i := range groups {
			groups[i] = int(binary.NativeEndian.Uint32(buf[4*i:]))
		}
		return groups, nil
	}
}

// may says what a caller may do. Without lists it makes the kernel's check at connect(2) a rule of the server's own: root,
// we, and whom the mode of the socket lets write. With them the mode lets everybody in, so the socket's group counts in
// its place. A user of another user namespace who has no number in ours counts as nobody.
func (who caller) may(path string, access Access) permission {
	if who.uid == 0 || who.uid == os.Geteuid() {
		return mayWrite
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return mayNothing
	}
	group := &Grant{UIDs: []int{int(st.Uid)}, GIDs: []int{int(st.Gid)}}
	switch {
	case !access.isOpen() && who.modeLets(&st):
		return mayWrite
	case !access.isOpen():
		return mayNothing
	case access.Write == nil && group.includes(who), access.Write != nil && access.Write.includes(who):
		return mayWrite
	case access.Read != nil && access.Read.includes(who):
		return mayRead
	}
	return mayNothing
}

func (who caller) modeLets(st *unix.Stat_t) bool {
	switch gid := int(st.Gid); {
	case who.uid == int(st.Uid):
		return st.Mode&0o200 != 0
	case who.gid == gid || slices.Contains(who.groups, gid):
		return st.Mode&0o020 != 0
	default:
		return st.Mode&0o002 != 0
	}
}
