package deadman

import (
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// wholeGroup has pidfd_send_signal(2) signal the process group of which a process is, or was, the leader; since Linux 6.9.
const wholeGroup = 1 << 2

// kill kills a worker with its groups.
func (w *watched) kill() {
	if fd, err := openIn(w.group, "cgroup.kill", unix.O_WRONLY); err == nil {
		_, _ = unix.Write(fd, []byte("1"))
		_ = unix.Close(fd)
	}
	_ = w.signal(unix.SIGKILL)
}

// signal signals the process group. Where the kernel knows it by the leader's pidfd nobody else can be meant. Else it is known
// by its number, which is the leader's as long as that was not reaped, and free when nobody of the group is left; so it is not used
// when a process has it that is not the leader.
func (w *watched) signal(sig unix.Signal) error {
	if w.process >= 0 {
		if err := unix.PidfdSendSignal(w.process, sig, nil, wholeGroup); !errors.Is(err, unix.EINVAL) {
			return err
		}
		if err := unix.PidfdSendSignal(w.process, sig, nil, 0); err != nil && !errors.Is(unix.Kill(w.pid, 0), unix.ESRCH) {
			return err
		}
	}
	return unix.Kill(-w.pid, sig)
}

// lives reports whether the worker itself has not ended.
func (w *watched) lives() bool {
	if w.process < 0 {
		return unix.Kill(w.pid, 0) == nil
	}
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(w.process), Events: unix.POLLIN}}, 0)
	return err == nil && n == 0
}

// log tells the system's log, if there is one, what nobody else can be told.
func (p *process) log(killed int) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	const daemonWarning = "<28>" // see syslog(3)
	text := daemonWarning + "brood-deadman[" + strconv.Itoa(unix.Getpid()) + "]: " + p.name + ": " + strconv.Itoa(killed) +
		" workers killed: what they share with other supervisors has ended, and their own supervisor is gone"
	_ = unix.Sendmsg(fd, []byte(text), nil, &unix.SockaddrUnix{Name: "/dev/log"}, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
}
