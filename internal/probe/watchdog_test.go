package probe

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// watch runs what happens at which second, in a bubble, with a limit of ten seconds, and returns the reports.
func watch(t *testing.T, happens map[int]func(*Watchdog)) []string {
	t.Helper()
	var reports []string
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		w := StartWatchdog(10*time.Second, func(m Missed) {
			reports = append(reports, fmt.Sprintf("at %v: silent since %v, %d beats, limit %v", time.Since(start), m.Last.Sub(start), m.Beats, m.Limit))
		})
		second := time.NewTicker(time.Second)
		defer second.Stop()
		for i := 1; i <= 100; i++ {
			<-second.C
			synctest.Wait()
			if f := happens[i]; f != nil {
				f(w)
			}
		}
		w.Stop()
	})
	return reports
}

func TestWatchdog(t *testing.T) {
	beat, stop := (*Watchdog).Beat, (*Watchdog).Stop
	tests := []struct {
		name    string
		happens map[int]func(*Watchdog)
		want    []string
	}{
		{"never heard of", nil, []string{"at 10s: silent since 0s, 0 beats, limit 10s"}},
		{"falls silent", map[int]func(*Watchdog){4: beat, 9: beat}, []string{"at 19s: silent since 9s, 2 beats, limit 10s"}},
		{"heard of again", map[int]func(*Watchdog){30: beat, 35: beat}, []string{
			"at 10s: silent since 0s, 0 beats, limit 10s",
			"at 45s: silent since 35s, 2 beats, limit 10s",
		}},
		{"stopped", map[int]func(*Watchdog){5: beat, 6: stop, 7: beat}, nil},
		{"stopped after a miss", map[int]func(*Watchdog){50: stop, 51: beat}, []string{"at 10s: silent since 0s, 0 beats, limit 10s"}},
		{"a timer of before", map[int]func(*Watchdog){5: func(w *Watchdog) { w.expire(time.Now()) }, 6: stop}, nil},
		{"a timer after the stop", map[int]func(*Watchdog){5: func(w *Watchdog) {
			w.Stop()
			w.expire(time.Now().Add(5 * time.Second))
		}}, nil},
		{"a supervisor that slept", map[int]func(*Watchdog){
			5: func(w *Watchdog) { w.expire(time.Now().Add(8 * time.Second)) }, // 13 s; the timer was due at 10 s
		}, []string{"at 23s: silent since 0s, 0 beats, limit 10s"}},
		{"a supervisor that is a little late", map[int]func(*Watchdog){
			5: func(w *Watchdog) { w.expire(time.Now().Add(7 * time.Second)) },
		}, []string{"at 5s: silent since 0s, 0 beats, limit 10s"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, watch(t, tt.happens)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWatchdogThatIsFed(t *testing.T) {
	happens := map[int]func(*Watchdog){}
	for i := range 101 {
		if i%9 == 0 {
			happens[i] = (*Watchdog).Beat
		}
	}
	if got := watch(t, happens); got != nil {
		t.Error(got)
	}
}

// Beats, misses and the stop come from different goroutines.
func TestWatchdogConcurrently(t *testing.T) {
	for range 50 {
		heard := make(chan Missed, 100)
		w := StartWatchdog(time.Millisecond, func(m Missed) { heard <- m })
		for range 3 {
			<-heard
			w.Beat()
		}
		w.Stop()
	}
}
