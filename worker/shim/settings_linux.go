package shim

import (
	"syscall"
	"unsafe"
)

// Numbers of ioprio_set(2), prctl(2) and capset(2) that package syscall lacks.
const (
	ioprioWhoProcess = 1
	prCapBoundRead   = 23
	prCapBoundDrop   = 24
	prNoNewPrivs     = 38
	prCapAmbient     = 47
	prKeepCaps       = syscall.PR_SET_KEEPCAPS

	prCapAmbientRaise    = 2
	prCapAmbientClearAll = 4

	capVersion3 = 0x20080522
	capWords    = 2
)

// prctl is for this thread, the main one, which is the only one that execve(2) keeps.
func prctl(option, a, b uintptr) (uintptr, error) {
	r, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, option, a, b, 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return r, nil
}

// schedule sets what the supervisor may have the right to, and the user hardly.
func (s *Settings) schedule() (Stage, error) {
	if s.Nice != nil {
		if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, *s.Nice); err != nil {
			return StageNice, err
		}
	}
	if s.IOPriority != nil {
		if _, _, errno := syscall.RawSyscall(syscall.SYS_IOPRIO_SET, ioprioWhoProcess, 0, uintptr(*s.IOPriority)); errno != 0 {
			return StageIOPriority, errno
		}
	}
	if s.OOMScoreAdj != nil {
		if err := writeOOMScore(*s.OOMScoreAdj); err != nil {
			return StageOOMScore, err
		}
	}
	if len(s.CPUs) > 0 {
		size, mask := uintptr(len(s.CPUs))*unsafe.Sizeof(s.CPUs[0]), unsafe.Pointer(&s.CPUs[0])
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, size, uintptr(mask)); errno != 0 {
			return StageCPUs, errno
		}
	}
	return StageNone, nil
}

func writeOOMScore(n int) error {
	text := format(uint64(n))
	if n < 0 {
		text = "-" + format(uint64(-n))
	}
	fd, err := syscall.Open("/proc/self/oom_score_adj", syscall.O_WRONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	_, err = syscall.Write(fd, []byte(text))
	_ = syscall.Close(fd)
	return err
}

// bound takes the capabilities that shall not remain out of the bounding set, and sees
// to it that the others outlive a change of the user.
func (s *Settings) bound() error {
	if s.Capabilities == nil {
		return nil
	}
	for n := range uintptr(64) {
		has, err := prctl(prCapBoundRead, n, 0)
		if err != nil {
			break // the kernel has no more of them
		}
		if has == 0 || *s.Capabilities&(1<<n) != 0 {
			continue
		}
		if _, err := prctl(prCapBoundDrop, n, 0); err != nil {
			return err
		}
	}
	if *s.Capabilities != 0 {
		_, err := prctl(prKeepCaps, 1, 0)
		return err
	}
	return nil
}

type capHeader struct {
	version uint32
	pid     int32
}

type capData struct{ effective, permitted, inheritable uint32 }

// keep leaves the process the capabilities that shall remain, also through execve(2):
// that gives root what is in the bounding set, and others what is ambient. On failure
// it returns the one that is to blame.
func (s *Settings) keep() (int, error) {
	if s.Capabilities == nil {
		return 0, nil
	}
	header := capHeader{version: capVersion3}
	var sets [capWords]capData
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CAPGET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&sets)), 0); errno != 0 {
		return 0, errno
	}
	root := syscall.Geteuid() == 0
	for n := range 64 {
		set, bit := &sets[n/32], uint32(1)<<(n%32)
		if *s.Capabilities&(1<<n) == 0 {
			set.effective, set.permitted, set.inheritable = set.effective&^bit, set.permitted&^bit, set.inheritable&^bit
			continue
		}
		if set.permitted&bit == 0 {
			return n, syscall.EPERM
		}
		set.effective |= bit
		if !root {
			set.inheritable |= bit
		}
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&sets)), 0); errno != 0 {
		return 0, errno
	}
	for n := range 64 {
		if root || *s.Capabilities&(1<<n) == 0 {
			continue
		}
		if _, err := prctl(prCapAmbient, prCapAmbientRaise, uintptr(n)); err != nil {
			return n, err
		}
	}
	return 0, nil
}

// restrict comes last: nothing can be gained from here on.
func (s *Settings) restrict() error {
	if !s.NoNewPrivs {
		return nil
	}
	_, err := prctl(prNoNewPrivs, 1, 0)
	return err
}
