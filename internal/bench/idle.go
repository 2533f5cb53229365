package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	idleTime = 20 * time.Second
	// calm lets what a start leaves behind (the collector, the scavenger) end.
	calm = 5 * time.Second
)

// measureMemory: the proportional set of the supervisor, with sockets, when its start is over.
func measureMemory(b *bench) ([]row, error) {
	var rows []row
	for _, m := range []struct {
		workers int
		limit   float64
	}{{8, 14}, {256, 16}} {
		var sizes []float64
		for range b.rounds {
			err := b.withTiny(shimKind(unhindered()...), m.workers, hear, func(p *keeper, _ *board) error {
				if err := p.rest(calm); err != nil {
					return err
				}
				pss, err := proportional(p.cmd.Process.Pid)
				sizes = append(sizes, pss)
				return err
			})
			if err != nil {
				return nil, err
			}
		}
		rows = append(rows, atMostRow(fmt.Sprintf("PSS with %d workers", m.workers), median(sizes), m.limit, " MB"))
	}
	return rows, nil
}

// proportional reads Pss of smaps_rollup, see proc_pid_smaps(5), in units of 10^6 bytes.
func proportional(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, fmt.Errorf("cannot read memory: %w", err)
	}
	kib, err := field(text, "Pss:")
	return float64(kib) * 1024 / 1e6, err
}

// measureIdle: what the supervisor of 64 ready workers does while nothing happens.
func measureIdle(b *bench) ([]row, error) {
	var wakes, cpu float64
	err := b.withTiny(shimKind(unhindered()...), crowd, hear, func(p *keeper, _ *board) error {
		if err := p.rest(calm); err != nil {
			return err
		}
		before, err := activity(p.cmd.Process.Pid)
		if err != nil {
			return err
		}
		if err := p.rest(idleTime); err != nil {
			return err
		}
		after, err := activity(p.cmd.Process.Pid)
		wakes, cpu = float64(after.wakes-before.wakes), float64(after.ticks-before.ticks)*10
		return err
	})
	if err != nil {
		return nil, err
	}
	return []row{
		atMostRow("idle 20 s with 64 workers: wake-ups", wakes, 0, ""),
		atMostRow("idle 20 s with 64 workers: CPU", cpu, 0, " ms"),
	}, nil
}

// rest lets time pass, unless the supervisor ends.
func (p *keeper) rest(d time.Duration) error {
	select {
	case <-p.exited:
		return p.complaint()
	case <-time.After(d):
		return nil
	}
}

// active is what the threads of a process have done so far.
type active struct {
	wakes int // context switches, voluntary and not
	ticks int // of CPU time, USER_HZ = 100 on every architecture that Go supports
}

func activity(pid int) (active, error) {
	var sum active
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil || len(tasks) == 0 {
		return sum, fmt.Errorf("cannot list threads of %d: %w", pid, errors.Join(err, os.ErrNotExist))
	}
	for _, task := range tasks {
		status, err := os.ReadFile(filepath.Join(task, "status"))
		if err != nil {
			return sum, fmt.Errorf("cannot read thread: %w", err)
		}
		for _, name := range []string{"voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"} {
			n, err := field(status, name)
			if err != nil {
				return sum, err
			}
			sum.wakes += n
		}
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return sum, fmt.Errorf("cannot read CPU time: %w", err)
	}
	// utime and stime are fields 14 and 15; the second, in parentheses, may hold anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	for _, text := range fields[11:13] {
		n, err := strconv.Atoi(text)
		if err != nil {
			return sum, fmt.Errorf("cannot read CPU time: %w", err)
		}
		sum.ticks += n
	}
	return sum, nil
}

// field finds the number after a name at the beginning of a line.
func field(text []byte, name string) (int, error) {
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				return 0, fmt.Errorf("cannot read %s %w", name, err)
			}
			return n, nil
		}
	}
	return 0, fmt.Errorf("cannot find %s %w", name, os.ErrNotExist)
}
