package main

import (
	"fmt"
	"syscall"
	"time"
)

const (
	crowd  = 64 // workers of the figures about deaths and signals
	deaths = 24 // killed one after the other, each in a slot that never failed before
)

// measureRespawn: from kill -9 to the first instruction of the replacement.
func measureRespawn(b *bench) ([]row, error) {
	kinds := []kind{floorKind(), directKind(unhindered()...), shimKind(unhindered()...)}
	times, err := b.takeTurns(kinds, func(k kind) (p50 time.Duration, err error) {
		err = b.withTiny(k, crowd, hear, func(_ *keeper, board *board) error {
			var all []time.Duration
			for i := range deaths {
				d, err := killAndWait(board, int(board.entries[i].pid), crowd+i+1)
				if err != nil {
					return err
				}
				all = append(all, d)
			}
			p50 = median(all)
			return nil
		})
		return p50, err
	})
	if err != nil {
		return nil, err
	}
	return []row{
		ratioRow("kill to replacement, p50 (brood)", times[0], times[1], 2),
		ratioRow("kill to replacement, p50 (brood -l)", times[0], times[2], 6),
	}, nil
}

func killAndWait(board *board, pid, started int) (time.Duration, error) {
	begin := monotonic()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return 0, fmt.Errorf("cannot kill %d: %w", pid, err)
	}
	if err := board.awaitStarted(started, patience); err != nil {
		return 0, err
	}
	return time.Duration(board.entries[started-1].startNS - begin), nil
}

// measureRespawnAll: all workers killed at once, until the last is replaced.
func measureRespawnAll(b *bench) ([]row, error) {
	kinds := []kind{floorKind(), directKind(unhindered()...), shimKind(unhindered()...)}
	times, err := b.takeTurns(kinds, func(k kind) (took time.Duration, err error) {
		err = b.withTiny(k, crowd, hear, func(_ *keeper, board *board) error {
			begin := monotonic()
			for _, e := range board.entries[:crowd] {
				if err := syscall.Kill(int(e.pid), syscall.SIGKILL); err != nil {
					return fmt.Errorf("cannot kill %d: %w", e.pid, err)
				}
			}
			if err := board.awaitStarted(2*crowd, patience); err != nil {
				return err
			}
			took = time.Duration(board.lastStart(crowd, 2*crowd) - begin)
			return nil
		})
		return took, err
	})
	if err != nil {
		return nil, err
	}
	return []row{
		ratioRow("64 killed at once, all replaced (brood)", times[0], times[1], 1.5),
		ratioRow("64 killed at once, all replaced (brood -l)", times[0], times[2], 6),
	}, nil
}
