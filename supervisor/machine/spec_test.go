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
		{"no workers", pool(0, 1, 0), "workers"},
		{"negative surge", pool(1, -1, 1, stopFirst), "negative"},
		{"negative unavailable", pool(1, 1, -1), "negative"},
		{"start-first without surge", pool(1, 0, 1), "start-first"},
		{"stop-first without unavailable", pool(1, 1, 0, stopFirst), "stop-first"},
		{"too few ids", pool(4, 1, 0, func(s *Spec) { s.LastID = 3 }), "worker ids 0-3"},
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
