package machine

import (
	"flag"
	"testing"
	"time"
)

var modelSize = flag.String("model", "short",
	"which scenarios to search: short, or full, or first, which is the short ones in a row until one finds something")

// TestModel searches. What the short scenarios saw is what docs/states.md says. There is one goroutine to each search, so
// the race detector is shown two of them.
func TestModel(t *testing.T) {
	scenarios := shortScenarios()
	if racing {
		scenarios = scenarios[:2]
	}
	if *modelSize == "full" {
		scenarios = fullScenarios()
	}
	searches := make([]*search, len(scenarios))
	ok := t.Run("search", func(t *testing.T) {
		for i, sc := range scenarios {
			searches[i] = newSearch(sc)
			found := !t.Run(sc.name, func(t *testing.T) {
				if *modelSize != "first" {
					t.Parallel()
				}
				searches[i].report(t)
			})
			if found {
				return
			}
		}
	})
	if !ok || racing {
		return
	}
	states, steps, seen := 0, 0, &moveTable{}
	for i, s := range searches {
		states, steps = states+len(s.from), steps+s.steps
		if i >= len(searches)-len(shortScenarios()) {
			seen.add(s.seen)
		}
	}
	t.Logf("%d scenarios, %d states, %d steps", len(scenarios), states, steps)
	compareWithStatesPage(t, seen)
}

func (s *search) report(t *testing.T) {
	begun := time.Now()
	err := s.run()
	t.Logf("%9d states %10d steps %3d deep %6.2f s", len(s.from), s.steps, len(s.depth), time.Since(begun).Seconds())
	if err != nil {
		t.Fatal(err)
	}
	// What was searched is not needed any more, and it is much.
	s.index, s.helpful = nil, edges{}
}
