package control

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
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

// may makes the kernel's check at connect(2) a rule of the server's own: root, we, and whom the mode of the socket lets
// write. A user of another user namespace who has no number in ours counts as nobody.
func (who caller) may(path string) bool {
	if who.uid == 0 || who.uid == os.Geteuid() {
		return true
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return false
	}
	switch gid := int(st.Gid); {
	case who.uid == int(st.Uid):
		return st.Mode&0o200 != 0
	case who.gid == gid || slices.Contains(who.groups, gid):
		return st.Mode&0o020 != 0
	default:
		return st.Mode&0o002 != 0
	}
}

var errNoCaller = errors.New("the connection tells nothing about it")

type callerKey struct{}

// identified is a caller, or why it is not known.
type identified struct {
	caller
	err error
}

// identify is for http.Server.ConnContext.
func identify(ctx context.Context, conn net.Conn) context.Context {
	who, err := callerOf(conn)
	return context.WithValue(ctx, callerKey{}, identified{who, err})
}

// callerIn is who sent a request.
func callerIn(ctx context.Context) identified {
	who, ok := ctx.Value(callerKey{}).(identified)
	if !ok {
		return identified{err: errNoCaller} // and not root, whose number is 0
	}
	return who
}

// guard lets nobody through who may not use the socket at path.
func guard(path string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch who := callerIn(r.Context()); {
		case who.err != nil:
			answer(w, http.StatusForbidden, Result{Error: fmt.Sprintf("cannot find out who asks: %v", who.err)})
		case !who.may(path):
			answer(w, http.StatusForbidden, Result{Error: fmt.Sprintf("user %d may not use this supervisor", who.uid)})
		default:
			next.ServeHTTP(w, r)
		}
	})
}
