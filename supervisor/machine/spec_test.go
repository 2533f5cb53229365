package machine

import (
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		name string
		spec Spec
		want string // part of the error; empty if it is good
	}{
		{"start-first", pool(4, 1, 0), ""},
		{"stop-first", pool(4, 0, 1, stopFirst), ""},
		{"a leader", pool(4, 1, 0, leader), ""},
		{"no workers", pool(0, 1, 0), "workers"},
		{"negative surge", pool(1, -1, 1, stopFirst), "negative"},
		{"negative unavailable", pool(1, 1, -1), "negative"},
		{"start-first without surge", pool(1, 0, 1), "start-first"},
		{"stop-first without unavailable", pool(1, 1, 0, stopFirst), "stop-first"},
		{"too few ids", pool(4, 1, 0, func(s *Spec) { s.LastID = 3 }), "worker ids 0-3"},
		{"percentages", pool(4, 0, 0, percent(1, 1)), ""},
		{"percentages instead of numbers", pool(4, 9, 0, percent(50, 0), func(s *Spec) { s.LastID = 5 }), ""},
		{"too few ids for a surge in percent", pool(4, 0, 0, percent(26, 0), func(s *Spec) { s.LastID = 4 }), "surge of 2"},
		{"stop-first with an unavailable that rounds to nothing", pool(4, 0, 0, stopFirst, percent(0, 1)), ""},
		{"surge beyond all measure", pool(1, 0, 0, percent(1001, 0)), "1000%"},
		{"negative surge in percent", pool(1, 1, 0, percent(-1, 0)), "-1%"},
		{"unavailable beyond all", pool(1, 1, 0, percent(0, 101)), "100%"},
		{"negative min ready", pool(1, 1, 0, func(s *Spec) { s.MinReady = -1 }), "min ready"},
		{"negative canary", pool(1, 1, 0, func(s *Spec) { s.Canary = -1 }), "canary"},
		{"negative stop delay", pool(1, 1, 0, func(s *Spec) { s.StopDelay = -1 }), "delay"},
		{"negative ids", pool(1, 1, 0, func(s *Spec) { s.FirstID = -1 }), "worker ids"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.spec.Validate()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// percent sets the percentages, and ids enough for them.
func percent(surge, unavailable int) func(*Spec) {
	return func(s *Spec) { s.SurgePercent, s.UnavailablePercent, s.LastID = surge, unavailable, s.FirstID+99 }
}

func TestPercentages(t *testing.T) {
	for _, tt := range []struct {
		workers, surge, unavailable int
		wantSurge, wantUnavailable  int
	}{
		{4, 25, 25, 1, 1},
		{4, 26, 49, 2, 1},
		{1, 1, 99, 1, 0},
		{10, 100, 100, 10, 10},
		{3, 1000, 34, 30, 1},
		{3, 0, 0, 7, 8},
	} {
		spec := pool(tt.workers, 7, 8, percent(tt.surge, tt.unavailable))
		if s, u := spec.Surge(), spec.Unavailable(); s != tt.wantSurge || u != tt.wantUnavailable {
			t.Errorf("%d workers, %d%% and %d%%: surge %d and unavailable %d, not %d and %d",
				tt.workers, tt.surge, tt.unavailable, s, u, tt.wantSurge, tt.wantUnavailable)
		}
	}
	if u := pool(4, 0, 0, stopFirst, percent(0, 1)).Unavailable(); u != 1 {
		t.Errorf("stop-first has to spare one, not %d", u)
	}
	if word := RestartOnFailure.String(); word != "on-failure" {
		t.Errorf("the word is %q", word)
	}
}
