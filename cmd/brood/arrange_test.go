package main

import (
	"io"
	"slices"
	"strings"
	"testing"
)

func TestFlagsMayStandAnywhere(t *testing.T) {
	app := newApp(io.Discard, io.Discard)
	for _, tc := range []struct{ given, want string }{
		{"brood", "brood"},
		{"brood status", "brood status"},
		{"brood scale 6 --pool web", "brood scale --pool web -- 6"},
		{"brood scale --pool=web 6 --wait=false", "brood scale --pool=web --wait=false -- 6"},
		{"brood scale 6 --wait --name x", "brood scale --wait --name x -- 6"},
		{"brood scale -1", "brood scale -- -1"},
		{"brood scale -- -1", "brood scale -- -1"},
		{"brood scale -- 1 --pool", "brood scale -- 1 --pool"},
		{"brood run -n 2 sleep -n 60", "brood run -n 2 -- sleep -n 60"},
		{"brood run --no-color -- --wat", "brood run --no-color -- --wat"},
		{"brood stop -h", "brood stop -h"},
		{"brood rnu --x", "brood rnu --x"}, // is told that there is no such command
	} {
		got, err := arrange(app, strings.Fields(tc.given))
		if err != nil {
			t.Errorf("%s: %v", tc.given, err)
		}
		if !slices.Equal(got, strings.Fields(tc.want)) {
			t.Errorf("%s: %q, want %s", tc.given, got, tc.want)
		}
	}
}
