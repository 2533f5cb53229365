package plan_test

import (
	"testing"

	"github.com/broodctl/brood/supervisor/plan"
)

// between is a pool whose number of workers follows its load.
func between(least, most int) plan.Pool {
	return but(pool("p"), func(p *plan.Pool) {
		p.Spec.Workers, p.Autoscale = least, plan.Autoscale{Min: least, Max: most}
	})
}

// fixed is a pool with so many workers.
func fixed(n int) plan.Pool { return but(pool("p"), func(p *plan.Pool) { p.Spec.Workers = n }) }

// A reload leaves the number of workers to the load where the configuration does.
func TestNumbersThatFollowTheLoad(t *testing.T) {
	for _, tt := range []struct {
		name     string
		from, to plan.Pool
		now      int
		want     string
	}{
		{"nothing changed", between(2, 16), between(2, 16), 7, "p: kept"},
		{"bounds round it", between(2, 16), between(4, 8), 7, "p: adjusted (workers)"},
		{"a higher least", between(2, 16), between(9, 16), 7, "p: scaled (workers), 7 -> 9 workers"},
		{"a lower most", between(2, 16), between(1, 3), 7, "p: scaled (workers), 7 -> 3 workers"},
		{"from a number", fixed(4), between(2, 16), 4, "p: adjusted (workers)"},
		{"from a number that was scaled", fixed(4), between(2, 16), 20, "p: scaled (workers), 20 -> 16 workers"},
		{"to a number", between(2, 16), fixed(4), 7, "p: scaled (workers), 7 -> 4 workers"},
		{"rolled", between(2, 16), command(between(2, 16)), 7, "p: rolled (command)"},
		{"another pool", fixed(4), fixed(4), 7, "p: scaled, 7 -> 4 workers"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			after := desired(nil, tt.to)
			p, err := plan.Compare(desired(nil, tt.from), after, map[string]plan.Now{"p": {Workers: tt.now}})
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Changes[0].String(); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if tt.to.Spec.Workers != after.Pools[0].Spec.Workers {
				t.Error("the description was changed")
			}
		})
	}
	p, err := plan.Compare(desired(nil, between(2, 16)), desired(nil, between(2, 16)), map[string]plan.Now{"p": {Workers: 7, Ended: true}})
	if err != nil || p.Changes[0].String() != "p: added (it had ended), 2 workers" {
		t.Errorf("one that had ended: %v, %v", p, err)
	}
}

func TestMostWorkers(t *testing.T) {
	for _, tt := range []struct {
		pool plan.Pool
		want int
	}{{fixed(4), 4}, {between(2, 16), 16}} {
		if got := tt.pool.MostWorkers(); got != tt.want {
			t.Errorf("%d, want %d", got, tt.want)
		}
	}
}

func TestHasGroups(t *testing.T) {
	p := pool("p")
	if p.HasGroups() {
		t.Error("one without limits")
	}
	if p.Cgroup.PidsMax = 9; !p.HasGroups() {
		t.Error("one with a limit")
	}
}
