package fdstore

import (
	"context"
	"errors"
	"slices"
	"testing"
)

func TestUnit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		cgroup string
		unit   string
		user   bool
	}{
		"nothing":    {"", "", false},
		"no service": {"0::/user.slice/session-1.scope\n", "", false},
		"service":    {"0::/system.slice/brood.service\n", "brood.service", false},
		"below it":   {"0::/system.slice/brood.service/supervisor\n", "brood.service", false},
		"instance":   {"0::/system.slice/system-brood.slice/brood@web.service\n", "brood@web.service", false},
		"user's":     {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/brood.service\n", "brood.service", true},
		"hybrid":     {"5:memory:/x\n1:name=systemd:/system.slice/brood.service\n0::/elsewhere\n", "brood.service", false},
	}
	for name, tt := range tests {
		if unit, user := Unit(tt.cgroup); unit != tt.unit || user != tt.user {
			t.Errorf("%s: got %q, %t", name, unit, user)
		}
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	const cgroup = "0::/system.slice/brood.service\n"
	tests := map[string]struct {
		fdstore, cgroup, said string
		err                   error
		limit                 int
		known                 bool
	}{
		"new":           {fdstore: "20", cgroup: cgroup, limit: 20, known: true},
		"old":           {cgroup: cgroup, said: "7\n", limit: 7, known: true},
		"old, without":  {cgroup: cgroup, said: "0\n", known: true},
		"no service":    {said: "7\n"},
		"no answer":     {cgroup: cgroup, err: errors.New("no bus")},
		"empty answer":  {cgroup: cgroup, said: "\n"},
		"not a service": {cgroup: "0::/x\n", said: "7\n"},
	}
	for name, tt := range tests {
		run := func(_ context.Context, argv ...string) (string, error) {
			if argv[0] != "systemctl" || !slices.Contains(argv, "brood.service") {
				t.Errorf("%s: %q", name, argv)
			}
			return tt.said, tt.err
		}
		if limit, known := Limit(t.Context(), tt.fdstore, tt.cgroup, run); limit != tt.limit || known != tt.known {
			t.Errorf("%s: got %d, %t", name, limit, known)
		}
	}
}
