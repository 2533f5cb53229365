package deadman

import (
	"bytes"
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// survivor finds one of a worker's groups who lives, by those of all process groups. Who is dead and not reaped does not. Its
// number is 0 if somebody lives who cannot be named.
func (w *watched) survivor(groups map[int]int) (pid int, any bool) {
	if w.group >= 0 {
		return memberOf(w.group)
	}
	pid, any = groups[w.pid]
	return pid, any || groups == nil
}

// memberOf looks into the directory of a control group, by its descriptor.
func memberOf(dir int) (pid int, any bool) {
	events, err := readIn(dir, "cgroup.events")
	if err != nil || bytes.Contains(events, []byte("populated 0")) {
		return 0, errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) // else it was removed
	}
	members, err := readIn(dir, "cgroup.procs")
	if line, _, ok := bytes.Cut(members, []byte("\n")); ok {
		pid, _ = strconv.Atoi(string(line)) // 0 where it is not in our namespace
		return pid, true
	}
	var st unix.Stat_t // some kernels count who is dead already
	return 0, err != nil || unix.Fstat(dir, &st) != nil || st.Nlink != 2
}

// livingGroups has one who lives of each process group; nil if that cannot be known.
func livingGroups() map[int]int {
	dir, err := unix.Open("/proc", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(dir)
	groups := map[int]int{}
	entries := make([]byte, 8192)
	var names []string
	for {
		n, err := unix.ReadDirent(dir, entries)
		if err != nil {
			return nil
		}
		if n <= 0 {
			return groups
		}
		_, _, names = unix.ParseDirent(entries[:n], -1, names[:0])
		for _, name := range names {
			if name[0] < '1' || name[0] > '9' {
				continue
			}
			if text, err := readIn(dir, name+"/stat"); err == nil {
				if pid, group, lives := parseStat(text); lives {
					groups[group] = pid
				}
			}
		}
	}
}

// parseStat reads the first field, and the first and third behind the name in brackets; see proc_pid_stat(5).
func parseStat(text []byte) (pid, group int, lives bool) {
	number, _, _ := bytes.Cut(text, []byte(" "))
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 3 {
		return 0, 0, false
	}
	pid, err := strconv.Atoi(string(number))
	group, failed := strconv.Atoi(string(fields[2]))
	return pid, group, err == nil && failed == nil && fields[0][0] != 'Z' && fields[0][0] != 'X'
}

// readIn reads a file that is small.
func readIn(dir int, name string) ([]byte, error) {
	fd, err := openIn(dir, name, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	text := make([]byte, 1024)
	n, err := unix.Read(fd, text)
	return text[:max(n, 0)], err
}

func openIn(dir int, name string, how int) (int, error) {
	if dir < 0 {
		return -1, unix.EBADF
	}
	return unix.Openat(dir, name, how|unix.O_CLOEXEC, 0)
}
