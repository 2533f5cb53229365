package control

import (
	"errors"
	"testing"

	"github.com/broodctl/brood/internal/fleet"
	"github.com/broodctl/brood/supervisor"
)

func TestFleets(t *testing.T) {
	f := &fake{verdict: supervisor.Verdict{Text: "the fleet web is paused"}}
	c := start(t, f)
	for _, name := range []string{"", "web"} {
		views, err := c.Fleets(t.Context(), name)
		if err != nil || len(views) != 1 || views[0].Name != "web" || views[0].State != fleet.Open {
			t.Errorf("the fleets %q are %+v, %v", name, views, err)
		}
	}
	_, err := c.Fleets(t.Context(), "a/b")
	if no, ok := errors.AsType[*RefusedError](err); !ok || no.Code != CodeNoFleet {
		t.Errorf("a fleet that is not there: %v", err)
	}
	result, err := c.Do(t.Context(), supervisor.Pause, Body{Fleet: "web", Reason: "a holiday"}, 0)
	if err != nil || result.Text != f.verdict.Text || result.Operation != "" {
		t.Errorf("%+v, %v", result, err)
	}
	if len(f.asked) != 1 || f.asked[0].Verb != supervisor.Pause || f.asked[0].Fleet != "web" || f.asked[0].Reason != "a holiday" {
		t.Errorf("asked for %+v", f.asked)
	}
	for verb, body := range map[supervisor.Verb]Body{
		supervisor.Resume: {Fleet: "web", Reason: "none"},
		supervisor.Roll:   {Fleet: "web"},
		supervisor.Pause:  {Pool: "web"},
	} {
		if _, err := c.Do(t.Context(), verb, body, 0); err == nil {
			t.Errorf("%s takes %+v", verb, body)
		}
	}
}
