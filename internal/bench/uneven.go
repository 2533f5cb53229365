package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/broodctl/brood/internal/loadgen"
)

const (
	unevenTime = 8 * time.Second
	unevenRate = 1500 // light requests per second, a quarter of what the four can do
	slowPath   = "/slow"
	slowWork   = 20 * time.Millisecond
	slowRate   = unevenRate * 2 / 98 // two per cent of all
)

// sharing is a way to share a port among the workers: what it is called, and the options of its listener.
type sharing struct{ name, options string }

func sharings() []sharing {
	return []sharing{
		{"shared", ",mode=shared"},
		{"random", ",queue-aware=false"},
		{"random, queue-aware", ",queue-aware=true"},
		{"cpu", ",steer=cpu,queue-aware=false"},
		{"cpu, queue-aware", ",steer=cpu,queue-aware=true"},
	}
}

// spell is what a load met, and what the supervisor took of a CPU meanwhile.
type spell struct {
	p50, p90, p99 time.Duration
	rate          float64
	cpu           float64 // per cent of one CPU
	wakes         float64 // per second
}

// measureUneven: servers that do one request at a time, of which two in a hundred take 20 ms, at a quarter of their
// strength. The light ones are timed.
func measureUneven(b *bench) ([]row, error) {
	ways := sharings()
	met, err := b.spells(ways, b.uneven)
	if err != nil {
		return nil, err
	}
	var rows []row
	for i, w := range ways {
		rows = append(rows, row{
			figure: "one request at a time, 2 % take 20 ms: p50, p90, p99 (" + w.name + ")", floor: "–", ratio: "–",
			brood: milliseconds(of(met[i], func(s spell) time.Duration { return s.p50 })) + ", " +
				milliseconds(of(met[i], func(s spell) time.Duration { return s.p90 })) + ", " +
				milliseconds(of(met[i], func(s spell) time.Duration { return s.p99 })),
		}, supervisorRow("supervisor meanwhile ("+w.name+")", met[i]))
	}
	p90 := func(i int) (all []time.Duration) {
		for _, s := range met[i] {
			all = append(all, s.p90)
		}
		return all
	}
	return append(rows,
		ratioRow("its p90, queue-aware against random", p90(1), p90(2), 0.7),
		ratioRow("its p90, queue-aware against cpu", p90(3), p90(4), 0.7)), nil
}

// spells measures each way once per round.
func (b *bench) spells(ways []sharing, one func(sharing) (spell, error)) ([][]spell, error) {
	met := make([][]spell, len(ways))
	for range b.rounds {
		for i, w := range ways {
			s, err := one(w)
			if err != nil {
				return nil, fmt.Errorf("with %s: %w", w.name, err)
			}
			met[i] = append(met[i], s)
		}
	}
	return met, nil
}

func (b *bench) uneven(w sharing) (s spell, err error) {
	p, address, err := b.keepServersOn(w.options, "-serial", "-mood", slowWork.String(), "-mood-path", slowPath)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, stopQuietly(p)) }()
	if err := p.rest(calm / 10); err != nil {
		return s, err
	}
	err = p.during(&s, func() error {
		slow, err := loadgen.Start(context.Background(), loadgen.Config{
			Address: address, Path: slowPath, Rate: slowRate, Duration: unevenTime,
		})
		if err != nil {
			return err
		}
		light, err := loadgen.Run(context.Background(), loadgen.Config{Address: address, Rate: unevenRate, Duration: unevenTime})
		if also := slow.Wait(); err == nil && light.Failed()+also.Failed() != 0 {
			err = fmt.Errorf("cannot load %s: requests failed\n%s\n%s", address, &light, &also)
		}
		s.p50, s.p90, s.p99 = light.Latency.Quantile(0.5), light.Latency.Quantile(0.9), light.Latency.Quantile(0.99)
		return err
	})
	return s, err
}

// during measures what the supervisor does while do runs.
func (p *keeper) during(s *spell, do func() error) error {
	before, err := activity(p.cmd.Process.Pid)
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := do(); err != nil {
		return err
	}
	took := time.Since(begin).Seconds()
	after, err := activity(p.cmd.Process.Pid)
	s.cpu = float64(after.ticks-before.ticks) / took // ticks are hundredths of a second
	s.wakes = float64(after.wakes-before.wakes) / took
	return err
}

// measureSaturated: as many light requests as there can be, a connection each, at two supervisors in turns. Steering by
// queues must not cost what it is meant to save.
func measureSaturated(b *bench) ([]row, error) {
	var keepers [2]*keeper
	var addresses [2]string
	var met [2][]spell
	for i, w := range sharings()[1:3] {
		each := *b
		each.dir = filepath.Join(b.dir, "saturated-"+strconv.Itoa(i)) // for its control socket
		if err := os.MkdirAll(each.dir, 0o700); err != nil {
			return nil, fmt.Errorf("cannot create directory: %w", err)
		}
		p, address, err := each.keepServersOn(w.options)
		if err != nil {
			return nil, err
		}
		defer func() { _ = stopQuietly(p) }()
		keepers[i], addresses[i] = p, address
	}
	var ratios []float64
	for draw := range draws * b.rounds {
		var pair [2]spell
		for _, i := range []int{draw % 2, 1 - draw%2} {
			err := keepers[i].during(&pair[i], func() (err error) {
				pair[i].rate, err = requestRate(addresses[i], loadgen.PerRequest)
				return err
			})
			if err != nil {
				return nil, err
			}
			met[i] = append(met[i], pair[i])
		}
		ratios = append(ratios, pair[1].rate/pair[0].rate)
	}
	rate := func(s spell) float64 { return s.rate }
	ratio := median(ratios)
	return []row{
		{
			figure: "requests per second at saturation, queue-aware against random",
			floor:  strconv.Itoa(int(of(met[0], rate))), brood: strconv.Itoa(int(of(met[1], rate))),
			ratio: decimal(ratio), target: "≥ 0.97×", met: judge(ratio >= 0.97),
		},
		supervisorRow("supervisor meanwhile (random)", met[0]),
		supervisorRow("supervisor meanwhile (random, queue-aware)", met[1]),
	}, nil
}

// measureAwareIdle: what watching queues costs while nobody connects.
func measureAwareIdle(b *bench) ([]row, error) {
	p, _, err := b.keepServersOn(",queue-aware=true")
	if err != nil {
		return nil, err
	}
	var s spell
	if err = p.rest(calm); err == nil {
		err = p.during(&s, func() error { return p.rest(idleTime / 2) })
	}
	return []row{
		atMostRow("idle 10 s, queue-aware: wake-ups", s.wakes*idleTime.Seconds()/2, 0, ""),
	}, errors.Join(err, stopQuietly(p))
}

func supervisorRow(figure string, all []spell) row {
	return row{
		figure: figure, floor: "–", ratio: "–",
		brood: decimal(of(all, func(s spell) float64 { return s.cpu })) + " % of a CPU, " +
			strconv.Itoa(int(of(all, func(s spell) float64 { return s.wakes }))) + " wake-ups/s",
	}
}

// of is the median of one number.
func of[T ~int64 | ~float64](all []spell, number func(spell) T) T {
	values := make([]T, len(all))
	for i, s := range all {
		values[i] = number(s)
	}
	return median(values)
}
