package listener

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// withoutSteering makes the kernel look old to this thread: it refuses to attach group programs, as before Linux 4.5.
func withoutSteering(t *testing.T) {
	t.Helper()
	runtime.LockOSThread() // never unlocked: the filter ends with the thread
	const number, option = 0, 16 + 2*8
	code, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: number, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.SYS_SETSOCKOPT, SkipTrue: 3},
		bpf.LoadAbsolute{Off: option, Size: 4}, // the lower half on little-endian machines
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.SO_ATTACH_REUSEPORT_CBPF, SkipTrue: 1},
		bpf.RetConstant{Val: 0x00050000 | uint32(unix.ENOPROTOOPT)}, // SECCOMP_RET_ERRNO
		bpf.RetConstant{Val: 0x7fff0000},                            // SECCOMP_RET_ALLOW
	})
	must(t, err)
	filter := make([]unix.SockFilter, len(code))
	for i, ins := range code {
		filter[i] = unix.SockFilter{Code: ins.Op, Jt: ins.Jt, Jf: ins.Jf, K: ins.K}
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	must(t, unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
	must(t, unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&prog)), 0, 0))
}

func TestOldKernelFallsBackToShared(t *testing.T) {
	withoutSteering(t)
	for _, flag := range []string{"127.0.0.1:0", "[::1]:0,mode=sharded", "udp:127.0.0.1:0"} {
		h := open(t, 3, flag)
		l := h.first()
		if ev := h.wait(EventFellBack); !errors.Is(ev.Err, unix.ENOPROTOOPT) || ev.Listener != "http" {
			t.Errorf("%s: got event %s", flag, ev)
		}
		if l.Mode() != Shared || l.FD(0, A) != l.FD(2, B) {
			t.Errorf("%s: mode %s, descriptors %d and %d", flag, l.Mode(), l.FD(0, A), l.FD(2, B))
		}
		must(t, h.first().Grow(5))
		must(t, l.Steer([]Member{{1, B}}))
		must(t, l.Abandon(0, A))
		if l.Datagram() {
			continue
		}
		serve(t, l, 4, B)
		if who, err := ask(dial(l.testTarget(), "")); err != nil || who != "4B" {
			t.Errorf("%s: got %q, %v", flag, who, err)
		}
	}
}

func TestLockedFilterFallsBackToShared(t *testing.T) {
	t.Parallel()
	fd := bound(t, "127.0.0.1:0", grouped)
	copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	must(t, err)
	must(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_LOCK_FILTER, 1))
	h := openWith(t, 2, []Inherited{{copied, "web"}})
	if ev := h.wait(EventFellBack); h.first().Mode() != Shared || h.first().FD(1, B) != copied || !errors.Is(ev.Err, unix.EPERM) {
		t.Errorf("mode %s, descriptor %d, event %s", h.first().Mode(), h.first().FD(1, B), ev)
	}
}

// TestGroupOfAnotherUser: systemd opened the sockets as root, and we are not, so that the kernel refuses our own.
func TestGroupOfAnotherUser(t *testing.T) {
	t.Parallel()
	require(t, os.Geteuid() == 0, "root")
	for _, n := range []int{1, 3} {
		fds := []int{bound(t, "127.0.0.1:0", grouped)}
		for len(fds) < n {
			fds = append(fds, bound(t, fmt.Sprintf("127.0.0.1:%d", portOfTest(t, fds[0])), grouped))
		}
		said, _ := runGuest(t, "systemd", func(cmd *exec.Cmd) {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			cmd.Env = append(cmd.Env, "LISTEN_PID=SELF", fmt.Sprintf("LISTEN_FDS=%d", n), "LISTEN_FDNAMES=")
			for _, fd := range fds {
				cmd.ExtraFiles = append(cmd.ExtraFiles, copyOf(t, fd))
			}
		})
		if said.Error != "" || len(said.Listeners) != 1 || said.Listeners[0].Mode != "shared" {
			t.Fatalf("%d sockets: got %+v", n, said)
		}
		// The program of the group is the guest's: everything goes to one socket, and it is the one handed out.
		for range 10 {
			conn, err := dial(fmt.Sprintf("127.0.0.1:%d", portOfTest(t, fds[0])), "")
			must(t, err)
			defer conn.Close()
		}
		q, err := queueOf(fds[said.Listeners[0].FD-firstInherited])
		if err != nil || q.Length < 10 {
			t.Errorf("%d sockets: queue is %+v, %v", n, q, err)
		}
	}
}

// TestForeignNetwork: the socket of systemd is in another network than ours, as with PrivateNetwork=.
func TestForeignNetwork(t *testing.T) {
	require(t, os.Geteuid() == 0, "root")
	fd := bound(t, "127.0.0.1:0", grouped)
	runtime.LockOSThread() // never unlocked: the thread ends with the test, and with it its network
	must(t, unix.Unshare(unix.CLONE_NEWNET))
	copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	must(t, err)
	h := openWith(t, 2, []Inherited{{copied, "web"}})
	if ev := h.wait(EventFellBack); h.first().Mode() != Shared || !errors.Is(ev.Err, errForeignNetwork) {
		t.Errorf("mode %s, event %s", h.first().Mode(), ev)
	}
}
