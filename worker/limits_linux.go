package worker

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// Limit is one limit of setrlimit(2). RLIM_INFINITY is ^uint64(0).
type Limit struct {
	Resource   int // RLIMIT_NOFILE, ...
	Soft, Hard uint64
}

// String is "nofile=1024:65535", soft and hard.
func (l Limit) String() string {
	return limitName(l.Resource) + "=" + amount(l.Soft) + ":" + amount(l.Hard)
}

func amount(n uint64) string {
	if n == unix.RLIM_INFINITY {
		return "infinity"
	}
	return strconv.FormatUint(n, 10)
}

// limitName is how ulimit(1) and limits.conf(5) call a limit.
func limitName(resource int) string {
	switch resource {
	case unix.RLIMIT_AS:
		return "as"
	case unix.RLIMIT_CORE:
		return "core"
	case unix.RLIMIT_CPU:
		return "cpu"
	case unix.RLIMIT_DATA:
		return "data"
	case unix.RLIMIT_FSIZE:
		return "fsize"
	case unix.RLIMIT_LOCKS:
		return "locks"
	case unix.RLIMIT_MEMLOCK:
		return "memlock"
	case unix.RLIMIT_MSGQUEUE:
		return "msgqueue"
	case unix.RLIMIT_NICE:
		return "nice"
	case unix.RLIMIT_NOFILE:
		return "nofile"
	case unix.RLIMIT_NPROC:
		return "nproc"
	case unix.RLIMIT_RSS:
		return "rss"
	case unix.RLIMIT_RTPRIO:
		return "rtprio"
	case unix.RLIMIT_RTTIME:
		return "rttime"
	case unix.RLIMIT_SIGPENDING:
		return "sigpending"
	case unix.RLIMIT_STACK:
		return "stack"
	}
	return "limit " + strconv.Itoa(resource)
}
