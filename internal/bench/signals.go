package main

import (
	"syscall"
	"time"
)

// hups is how often one supervisor relays; the median counts.
const hups = 5

// measureRelay: SIGHUP to the parent, until the last of 64 handlers has run.
func measureRelay(b *bench) ([]row, error) {
	kinds := []kind{floorKind(), directKind(append(unhindered(), "--reload", "signal")...)}
	times, err := b.takeTurns(kinds, func(k kind) (p50 time.Duration, err error) {
		err = b.withTiny(k, crowd, hear, func(p *keeper, board *board) error {
			var all []time.Duration
			for i := range hups {
				begin := monotonic()
				if err := p.signal(syscall.SIGHUP); err != nil {
					return err
				}
				if err := board.awaitHupped((i+1)*crowd, patience); err != nil {
					return err
				}
				all = append(all, time.Duration(board.lastHup()-begin))
			}
			p50 = median(all)
			return nil
		})
		return p50, err
	})
	if err != nil {
		return nil, err
	}
	return []row{ratioRow("SIGHUP relayed to 64", times[0], times[1], 3)}, nil
}

// measureStop: SIGTERM to the parent of 64 idle workers, until it has ended after
// the last of them.
func measureStop(b *bench) ([]row, error) {
	kinds := []kind{floorKind(), directKind(unhindered()...), shimKind(unhindered()...)}
	times, err := b.takeTurns(kinds, func(k kind) (took time.Duration, err error) {
		err = b.withTiny(k, crowd, hear, func(p *keeper, _ *board) error {
			took, err = p.stop()
			return err
		})
		return took, err
	})
	if err != nil {
		return nil, err
	}
	return []row{
		ratioRow("SIGTERM to all 64 gone (brood)", times[0], times[1], 2),
		ratioRow("SIGTERM to all 64 gone (brood -l)", times[0], times[2], 0),
	}, nil
}
