package supervisor

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/broodctl/brood/supervisor/plan"
)

// TestReloadComesToWhatAStartComesTo is the promise of a reload: whatever ran before, what runs in the end is what would
// run if the supervisor had been started with the new configuration.
func TestReloadComesToWhatAStartComesTo(t *testing.T) {
	refused, all := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		a, b := anyDesired(rt), anyDesired(rt)
		if rapid.Bool().Draw(rt, "near") {
			b = nearly(rt, a)
		}
		all++
		started, _ := stillness(t, rt, b, b)
		reloaded, err := stillness(t, rt, a, b)
		switch {
		case errors.Is(err, plan.ErrOrder):
			refused++
		case err != nil:
			rt.Fatalf("reload: %v", err)
		case !slices.Equal(reloaded, started):
			rt.Fatalf("reloaded:\n%s\nstarted:\n%s", strings.Join(reloaded, "\n"), strings.Join(started, "\n"))
		}
	})
	if t.Logf("%d of %d refused for their order", refused, all); refused > all/5 {
		t.Errorf("%d of %d plans are refused for their order", refused, all)
	}
}

// stillness starts with one description, reloads another one if it is not the same, and says how it looks at rest.
func stillness(t *testing.T, rt *rapid.T, first, then plan.Desired) (picture []string, err error) {
	rec := &recorder{TB: t}
	synctest.Test(t, func(*testing.T) {
		w := &world{}
		s := newStage(rec, w, described(w, first))
		s.after(time.Minute)
		s.checkRest()
		w.put(then, nil)
		if len(first.Pools) > 0 && &first.Pools[0] != &then.Pools[0] {
			reload := s.ask(Request{Verb: Reload})
			s.after(10 * time.Minute)
			err = reload.answer().Err
			s.checkRest()
		}
		picture = s.picture()
		s.end()
	})
	if rec.Failed() {
		rt.Fatalf("%s", strings.Join(rec.errs, "\n"))
	}
	return picture, err
}
