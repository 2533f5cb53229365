package probe_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/broodctl/brood/internal/probe"
)

// script answers attempts with one letter each: + works, - fails, ! answers after the timeout. After the last letter it
// ends the run. It notes when each attempt began.
type script struct {
	letters string
	took    time.Duration
	end     context.CancelFunc
	start   time.Time
	at      []time.Duration
}

func (s *script) run(ctx context.Context, _ string) error {
	s.at = append(s.at, time.Since(s.start))
	if len(s.at) > len(s.letters) {
		s.end()
		return nil
	}
	if s.took > 0 {
		select {
		case <-time.After(s.took):
		case <-ctx.Done():
		}
	}
	switch s.letters[len(s.at)-1] {
	case '+':
		return nil
	case '!':
		<-ctx.Done()
		return nil
	}
	return fmt.Errorf("no %d", len(s.at))
}

// play runs the script inside a bubble and returns the reports, a line each.
func play(t *testing.T, c probe.Config, s *script, delay time.Duration) []string {
	t.Helper()
	c.Kind, c.Command = probe.Exec, "check"
	var reports []string
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s.end, s.start = cancel, time.Now()
		probe.Run(ctx, c, probe.World{Run: s.run, Delay: delay}, func(o probe.Outcome) {
			reports = append(reports, fmt.Sprintf("%s at %v: %d in a row since %v, %d of %d failed, took %v, %v",
				o.Verdict, time.Since(s.start), o.InARow, o.Since.Sub(s.start), o.Failures, o.Attempts, o.Took, o.Err))
		})
	})
	return reports
}

func TestRunCounts(t *testing.T) {
	tests := []struct {
		name, letters string
		c             probe.Config
		took          time.Duration
		want          []string
	}{
		{"works", "++++", probe.Config{}, 0, []string{
			"passing at 0s: 1 in a row since 0s, 0 of 1 failed, took 0s, <nil>",
		}},
		{"never works", "-----", probe.Config{}, 0, []string{
			"failing at 20s: 3 in a row since 0s, 3 of 3 failed, took 0s, no 3",
		}},
		{"fails now and then", "+--+--+--", probe.Config{}, 0, []string{
			"passing at 0s: 1 in a row since 0s, 0 of 1 failed, took 0s, <nil>",
		}},
		{"fails and recovers", "+---+", probe.Config{Period: time.Second}, 0, []string{
			"passing at 0s: 1 in a row since 0s, 0 of 1 failed, took 0s, <nil>",
			"failing at 3s: 3 in a row since 1s, 3 of 4 failed, took 0s, no 4",
			"passing at 4s: 1 in a row since 4s, 3 of 5 failed, took 0s, <nil>",
		}},
		{"flaps", "+-+-+", probe.Config{FailureThreshold: 1, SuccessThreshold: 2, Period: time.Second}, 0, []string{
			"failing at 1s: 1 in a row since 1s, 1 of 2 failed, took 0s, no 2",
		}},
		{"recovers slowly", "-+-++", probe.Config{FailureThreshold: 1, SuccessThreshold: 2, Period: time.Second}, 0, []string{
			"failing at 0s: 1 in a row since 0s, 1 of 1 failed, took 0s, no 1",
			"passing at 4s: 2 in a row since 3s, 2 of 5 failed, took 0s, <nil>",
		}},
		{"answers too late", "!!", probe.Config{FailureThreshold: 2, Period: 5 * time.Second}, 0, []string{
			"failing at 6s: 2 in a row since 0s, 2 of 2 failed, took 1s, check did not end within 1s",
		}},
		{"starts slowly", "++", probe.Config{InitialDelay: 40 * time.Second}, 250 * time.Millisecond, []string{
			"passing at 40.25s: 1 in a row since 40s, 0 of 1 failed, took 250ms, <nil>",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, play(t, tt.c, &script{letters: tt.letters, took: tt.took}, 0)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRunTicks(t *testing.T) {
	tests := []struct {
		name  string
		c     probe.Config
		took  time.Duration
		delay time.Duration
		want  []int // ms
	}{
		{"from the beginning of the last", probe.Config{Period: time.Second}, 300 * time.Millisecond, 0, []int{0, 1000, 2000, 3000}},
		{"one at a time", probe.Config{Period: time.Second, Timeout: time.Minute}, 1300 * time.Millisecond, 0, []int{0, 1300, 2600, 3900}},
		{"after both delays", probe.Config{InitialDelay: time.Second}, 0, 70 * time.Millisecond, []int{1070, 11070, 21070, 31070}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{letters: "+++", took: tt.took}
			play(t, tt.c, s, tt.delay)
			var got []int
			for _, at := range s.at {
				got = append(got, int(at.Milliseconds()))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("attempts at %v ms, not %v", got, tt.want)
			}
		})
	}
}

// An attempt that ends with the run is none of the worker's failures.
func TestRunEndsWithTheContext(t *testing.T) {
	for _, wait := range []time.Duration{0, 5 * time.Second, 10*time.Second + 500*time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), wait)
			defer cancel()
			start, tries := time.Now(), 0
			w := probe.World{Run: func(ctx context.Context, _ string) error {
				if tries++; tries == 1 {
					return nil
				}
				<-ctx.Done()
				return ctx.Err()
			}}
			c := probe.Config{Kind: probe.Exec, Command: "x", FailureThreshold: 1, InitialDelay: time.Second}
			c.Period = 9 * time.Second
			var verdicts []probe.Verdict
			probe.Run(ctx, c, w, func(o probe.Outcome) { verdicts = append(verdicts, o.Verdict) })
			if time.Since(start) != wait || slices.Contains(verdicts, probe.Failing) {
				t.Errorf("after %v: %v", time.Since(start), verdicts)
			}
		})
	}
}

func TestRunNotify(t *testing.T) {
	probe.Run(t.Context(), probe.Config{Kind: probe.Notify}, probe.World{}, func(o probe.Outcome) { t.Errorf("%+v", o) })
}

// A probe that cannot be made is seen to fail, whoever forgot to validate it.
func TestRunOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		probe.Run(ctx, probe.Config{}, probe.World{}, func(o probe.Outcome) { cancel(o.Err) })
		if err := context.Cause(ctx); err == nil || !strings.Contains(err.Error(), "it is one of") || errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// Attempts at slots 0 to n-1 share the period out evenly, whatever n is.
func TestSpread(t *testing.T) {
	const period = 10 * time.Second
	for _, offset := range []uint64{0, 7, 1 << 40, 1<<64 - 500} {
		for _, n := range []int{1, 2, 4, 33, 1000} {
			var at []time.Duration
			for slot := range n {
				at = append(at, probe.Spread(offset+uint64(slot), period))
			}
			slices.Sort(at)
			if at[0] < 0 || at[n-1] >= period {
				t.Errorf("%d slots from %v to %v", n, at[0], at[n-1])
			}
			for i := 1; i < n; i++ {
				if gap := at[i] - at[i-1]; gap < period/time.Duration(n)/4 {
					t.Errorf("%d slots, two of them %v apart", n, gap)
				}
			}
		}
	}
	if d := probe.Spread(0, period); d != 0 {
		t.Errorf("the first is put off by %v", d)
	}
	if d := probe.Spread(9, 0) + probe.Spread(9, -1); d != 0 {
		t.Errorf("no period is spread over %v", d)
	}
}
