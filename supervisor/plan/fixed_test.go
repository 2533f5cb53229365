package plan_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/broodctl/brood/supervisor/plan"
)

// Settings that no reload changes are named, and change no pool.
func TestFixedSettings(t *testing.T) {
	for _, tt := range []struct {
		name         string
		before, then map[string]string
		want         []string
	}{
		{"none", nil, nil, nil},
		{"the same", map[string]string{"supervisor.name": "a"}, map[string]string{"supervisor.name": "a"}, nil},
		{
			"others",
			map[string]string{"supervisor.name": "a", "supervisor.log_level": "info", "supervisor.control": "x"},
			map[string]string{"supervisor.name": "a", "supervisor.log_level": "debug", "supervisor.control": "y"},
			[]string{"supervisor.control", "supervisor.log_level"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, then := desired(nil, pool("a")), desired(nil, pool("a"))
			before.Fixed, then.Fixed = tt.before, tt.then
			p, err := plan.Compare(before, then, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(p.Fixed, tt.want) || p.Empty() != (len(tt.want) == 0) || p.Changes[0].Kind != plan.Kept {
				t.Errorf("fixed %q, empty %t, pool %s", p.Fixed, p.Empty(), p.Changes[0].Kind)
			}
			v := p.View(func(string) plan.Hearing { return plan.Untouched })
			var b strings.Builder
			if err := v.Print(&b); err != nil {
				t.Fatal(err)
			}
			for _, key := range tt.want {
				if !strings.Contains(b.String(), "! "+key+": takes effect when brood is started anew\n") {
					t.Errorf("printed:\n%s", b.String())
				}
			}
			text, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(string(text), `"fixed"`); got != (len(tt.want) > 0) {
				t.Errorf("json: %s", text)
			}
		})
	}
}
