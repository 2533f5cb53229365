package deadman

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// title is what argv[0] of the process begins with, for people who look at it with ps(1).
const title = "brood: deadman of "

// comm is its short name; see prctl(2) about PR_SET_NAME.
const comm = "brood-deadman\x00"

// socketFD is the descriptor of its socket.
const socketFD = 3

func init() {
	// os.Args is not there yet: package os is initialised later.
	name, is := isDeadman()
	if !is {
		return
	}
	syscall.Exit(run(name))
}

// isDeadman looks at argv[0] alone: this runs at each start of the program too.
func isDeadman() (name string, is bool) {
	fd, err := unix.Open("/proc/self/cmdline", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", false
	}
	defer unix.Close(fd)
	var head [256]byte
	n, err := unix.Read(fd, head[:])
	if err != nil || n < len(title) || string(head[:len(title)]) != title {
		return "", false
	}
	return unix.ByteSliceToString(head[len(title):n]), true
}

// run returns the exit code.
func run(name string) int {
	calm()
	p, err := begin(name, socketFD)
	if err != nil {
		return 1
	}
	p.run()
	return 0
}

// calm has nothing but the socket end the process: no signal that one sends to all of a service or a terminal, and no limit
// of descriptors below what there may be.
func calm() {
	const last = 64
	for sig := range last + 1 {
		ignore(sig)
	}
	_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(unsafe.StringData(comm))), 0, 0, 0)
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil {
		limit.Cur = limit.Max
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	}
	// A machine that has run out of memory is one where supervisors come to nothing: what was touched stays.
	_ = unix.Mlockall(unix.MCL_CURRENT | unix.MCL_ONFAULT)
}

// ignore is the kernel's affair alone: the Go runtime has its own handlers, and is not asked. Faults of our own end us all the same.
func ignore(sig int) {
	const ignored = 1 // SIG_IGN
	action := struct {
		handler uintptr
		rest    [7]uint64
	}{handler: ignored}
	const maskBytes = 8
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&action)), 0, maskBytes, 0, 0)
}
