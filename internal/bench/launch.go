package main

import (
	"errors"
	"fmt"
	"time"
)

// unhindered are the flags for workers that are ready as soon as they run.
func unhindered() []string { return []string{"--ready", "delay:0s"} }

// measureLaunch: from the fork of the parent to the first instruction of the
// last of n workers, the parent's own start included.
func measureLaunch(b *bench) ([]row, error) {
	// The floor's workers have the output of their parent. So have brood's here, where the two are compared; by default
	// it keeps the last lines of each, which costs a pipe per worker.
	alike := directKind(append(unhindered(), "--worker-output", "inherit")...)
	alike.name = "brood, output inherited"
	kinds := []kind{floorKind(), alike, directKind(unhindered()...), shimKind(unhindered()...)}
	var rows []row
	for _, n := range []int{8, 64, 1000} {
		times, err := b.takeTurns(kinds, func(k kind) (time.Duration, error) { return b.launch(k, n) })
		if err != nil {
			return nil, err
		}
		limits := []float64{0, 0, 0, 0}
		if n == 1000 {
			limits = []float64{0, 1.6, 0, 4}
		}
		for i, k := range kinds[1:] {
			rows = append(rows, ratioRow(fmt.Sprintf("launch of %d (%s)", n, k.name), times[0], times[i+1], limits[i+1]))
		}
	}
	return rows, nil
}

// takeTurns measures each kind once per round.
func (b *bench) takeTurns(kinds []kind, one func(kind) (time.Duration, error)) ([][]time.Duration, error) {
	times := make([][]time.Duration, len(kinds))
	for range b.rounds {
		for i, k := range kinds {
			d, err := one(k)
			if err != nil {
				return nil, fmt.Errorf("with %s: %w", k.name, err)
			}
			times[i] = append(times[i], d)
		}
	}
	return times, nil
}

func (b *bench) launch(k kind, n int) (took time.Duration, err error) {
	err = b.withTiny(k, n, deaf, func(p *keeper, board *board) error {
		took = time.Duration(board.lastStart(0, n) - p.begun)
		return nil
	})
	return took, err
}

// withTiny runs do while n tiny workers run (and, with hear, brood calls them
// ready), and ends them.
func (b *bench) withTiny(k kind, n int, h hearing, do func(*keeper, *board) error) (err error) {
	board, err := newBoard()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, board.close()) }()
	p, err := b.keep(k, n, []string{board.env()}, h, b.tiny)
	if err != nil {
		return err
	}
	defer func() {
		if _, stopErr := p.stop(); err == nil {
			err = stopErr
		}
	}()
	if err := board.awaitStarted(n, patience); err != nil {
		return errors.Join(err, p.complaint())
	}
	if err := p.awaitReady(); err != nil {
		return err
	}
	return do(p, board)
}
