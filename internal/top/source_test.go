package top

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/supervisor/events"
)

func TestSecretsOfAConfiguration(t *testing.T) {
	for _, tc := range []struct {
		config, pool string
		names        []string
		unknown      bool
	}{
		{`{"pool":{"web":{"credentials":{"B":"b","A":"path:a"}}}}`, "web", []string{"A", "B"}, false},
		{`{"pool":{"web":{"command":["x"]}}}`, "web", nil, false},
		{`{"pool":{"web":{}}}`, "jobs", nil, true},
		{`{}`, "web", nil, true},
		{`{"pool":{"web":{"credentials":["A"]}}}`, "web", nil, true},
		{``, "web", nil, true},
	} {
		got := readSecrets(json.RawMessage(tc.config), tc.pool)
		if !slices.Equal(got.Names, tc.names) || got.Unknown != tc.unknown {
			t.Errorf("%s of %s: %+v", tc.pool, tc.config, got)
		}
	}
}

func FuzzReadSecrets(f *testing.F) {
	f.Add([]byte(`{"pool":{"web":{"credentials":{"B":"b"}}}}`), "web")
	f.Fuzz(func(t *testing.T, config []byte, pool string) {
		if got := readSecrets(config, pool); got.Unknown && got.Names != nil {
			t.Errorf("%q: %+v", config, got)
		}
	})
}

func TestHistoryIsBounded(t *testing.T) {
	var h history
	h.err = errRefused
	if _, err := h.of("web", 1); err == nil {
		t.Error("no error though nothing could be read")
	}
	for i := range 3 * mostHistory {
		var e control.Event
		e.ID, e.Pool, e.Kind = uint64(i), "web", events.Worker
		if i%3 != 0 {
			e.Slot = new(i % 3)
		}
		h.add(e)
	}
	if len(h.events) > mostHistory {
		t.Errorf("%d events are kept", len(h.events))
	}
	got, err := h.of("web", 1)
	if err != nil || len(got) != mostEvents || got[len(got)-1].ID != 3*mostHistory-2 {
		t.Errorf("%d events, %v", len(got), err)
	}
	for _, e := range got {
		if e.Slot != nil && *e.Slot != 1 {
			t.Fatalf("of slot %d", *e.Slot)
		}
	}
	if got, err := h.of("jobs", 1); len(got) != 0 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}
