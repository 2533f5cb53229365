package worker

import (
	"encoding/binary"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// waitKind names what a thread can wait in.
type waitKind uint8

const (
	waitNone   waitKind = iota
	waitOne             // accept, accept4, recvfrom, recvmsg, recvmmsg: the first argument
	waitPoll            // poll, ppoll: an array of struct pollfd
	waitSelect          // select, pselect6: a bit set
)

// pollReadNormal is POLLRDNORM, which means the same as POLLIN for sockets.
const pollReadNormal = 0x40

// maxPoll bounds what is read from a worker's memory, in descriptors. Programs
// with more of them use epoll.
const maxPoll = 4096

func kindOf(number int) waitKind {
	switch number {
	case unix.SYS_ACCEPT, unix.SYS_ACCEPT4, unix.SYS_RECVFROM, unix.SYS_RECVMSG, unix.SYS_RECVMMSG:
		return waitOne
	case unix.SYS_PPOLL:
		return waitPoll
	case unix.SYS_PSELECT6:
		return waitSelect
	}
	return oldKindOf(number)
}

// threadWaits tells whether a thread is blocked on one of the held descriptors.
// /proc/PID/task/TID/syscall has the number and six arguments, or "running", or
// -1 outside of system calls.
func threadWaits(pid, tid int, held map[int]bool) (bool, error) {
	text, err := os.ReadFile(procPath(pid, "task/"+strconv.Itoa(tid)+"/syscall"))
	if err != nil {
		return false, err
	}
	number, args, ok := parseSyscall(string(text))
	if !ok {
		return false, nil
	}
	switch kindOf(number) {
	case waitOne:
		return held[int(int32(args[0]))], nil
	case waitPoll:
		set, err := readMemory(pid, args[0], 8*min(args[1], maxPoll))
		return pollWatches(set, held), err
	case waitSelect:
		if args[1] == 0 {
			return false, nil // it does not wait for anything to read
		}
		set, err := readMemory(pid, args[1], (min(args[0], maxPoll)+63)/64*8)
		return selectWatches(set, int(min(args[0], maxPoll)), held), err
	case waitNone:
	}
	return false, nil
}

func parseSyscall(text string) (number int, args [6]uint64, ok bool) {
	fields := strings.Fields(text)
	if len(fields) < 7 {
		return 0, args, false
	}
	number, err := strconv.Atoi(fields[0])
	if err != nil {
		return 0, args, false
	}
	for i := range args {
		if args[i], err = strconv.ParseUint(fields[1+i], 0, 64); err != nil {
			return 0, args, false
		}
	}
	return number, args, true
}

// pollWatches reads struct pollfd { int fd; short events, revents; } of poll(2).
func pollWatches(set []byte, held map[int]bool) bool {
	for ; len(set) >= 8; set = set[8:] {
		fd := int(int32(binary.NativeEndian.Uint32(set)))
		events := binary.NativeEndian.Uint16(set[4:])
		if events&(unix.POLLIN|pollReadNormal) != 0 && held[fd] {
			return true
		}
	}
	return false
}

// selectWatches reads an fd_set: an array of long, as the kernel counts bits.
func selectWatches(set []byte, limit int, held map[int]bool) bool {
	for word := 0; len(set) >= 8; word, set = word+1, set[8:] {
		bits := binary.NativeEndian.Uint64(set)
		for bit := range 64 {
			if fd := word*64 + bit; fd < limit && bits&(1<<bit) != 0 && held[fd] {
				return true
			}
		}
	}
	return false
}

// readMemory reads from another process. Memory that has been unmapped since is
// empty: the thread has gone on.
func readMemory(pid int, address, size uint64) ([]byte, error) {
	f, err := os.Open(procPath(pid, "mem"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	buf := make([]byte, size)
	n, err := f.ReadAt(buf, int64(address))
	if err != nil && n == 0 {
		return nil, nil
	}
	return buf[:n], nil
}
