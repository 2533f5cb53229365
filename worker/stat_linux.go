package worker

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Stopped tells whether a worker was stopped by a signal (SIGSTOP, SIGTSTP). It
// looks at the worker itself, not at its descendants. A child of ours is asked for
// with waitid(2), which takes a microsecond where /proc takes twenty, and does not
// count one that a debugger has stopped. An error that wraps os.ErrProcessDone says
// that there is no such process.
func Stopped(pid int) (bool, error) {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WSTOPPED|unix.WNOHANG|unix.WNOWAIT, nil)
	if err == nil {
		return info.Signo != 0, nil
	}
	s, err := statOf(pid)
	if err != nil {
		return false, fmt.Errorf("cannot read state of process %d: %w", pid, err)
	}
	return s.state == 'T', nil
}

// stat is what we need of /proc/PID/stat.
type stat struct {
	state         byte
	parent, group int // process ids
	// cpu is what its threads have used, those that ended included, and what its
	// children had used that it has waited for, with theirs.
	cpu time.Duration
	// resident is in bytes.
	resident uint64
}

func statOf(pid int) (stat, error) {
	text, err := os.ReadFile(procPath(pid, "stat"))
	if isGoneError(err) {
		return stat{}, os.ErrProcessDone
	}
	if err != nil {
		return stat{}, err
	}
	return parseStat(text)
}

var errStat = errors.New("it is not as proc_pid_stat(5) says")

// parseStat reads "PID (NAME) STATE ..." with fields separated by blanks. NAME is
// whatever the process calls itself, parentheses, blanks and newlines included:
// only the last parenthesis ends it.
func parseStat(text []byte) (stat, error) {
	end := bytes.LastIndexByte(text, ')')
	if end < 0 {
		return stat{}, errStat
	}
	// Numbers of the fields as in the man page, which counts from 1.
	const state, ppid, pgrp, utime, cstime, rss = 3, 4, 5, 14, 17, 24
	fields := bytes.Fields(text[end+1:])
	if len(fields) <= rss-state || len(fields[0]) != 1 {
		return stat{}, errStat
	}
	s := stat{state: fields[0][0]}
	var errs [3]error
	s.parent, errs[0] = strconv.Atoi(string(fields[ppid-state]))
	s.group, errs[1] = strconv.Atoi(string(fields[pgrp-state]))
	pages, err := strconv.ParseUint(string(fields[rss-state]), 10, 64)
	if errs[2] = err; errors.Join(errs[:]...) != nil || pages > math.MaxInt64>>20 {
		return stat{}, errStat
	}
	s.resident = pages * uint64(os.Getpagesize())
	for _, field := range fields[utime-state : cstime-state+1] {
		ticks, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil || ticks < 0 || ticks > math.MaxInt64/int64(tick)/4 {
			return stat{}, errStat
		}
		s.cpu += time.Duration(ticks) * tick
	}
	return s, nil
}

// tick is the unit of times in /proc: USER_HZ is 100 on all that Go runs on.
const tick = 10 * time.Millisecond
