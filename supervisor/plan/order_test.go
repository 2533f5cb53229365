package plan_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/plan"
)

// orders say in which order changes come: "c: a b" is what c needs, "!words" an error.
var orders = []struct {
	name   string
	before plan.Desired
	after  plan.Desired
	want   string
}{
	{
		"changes of strangers wait for nobody",
		desired(nil, pool("a"), pool("b")), desired(nil, command(pool("a")), command(pool("b"))),
		"",
	},
	{
		"after, whatever the order in the file",
		desired(nil, pool("a"), pool("b"), pool("c")),
		desired(nil, command(after(pool("c"), "a")), after(pool("b"), "c"), command(pool("a"))),
		"c: a; b: c",
	},
	{
		"nobody waits for what does not change",
		desired(nil, pool("a"), after(pool("b"), "a")), desired(nil, pool("a"), command(after(pool("b"), "a"))),
		"",
	},
	{
		"what is added comes after what it needs",
		desired(nil, pool("a")), desired(nil, command(pool("a")), after(pool("b"), "a")),
		"b: a",
	},
	{
		"removed last",
		desired(nil, pool("x"), pool("a")), desired(nil, command(pool("a")), pool("b")),
		"x: a b",
	},
	{
		"removed in reverse",
		desired(nil, pool("a"), after(pool("b"), "a"), after(pool("c"), "b")), desired(nil, pool("z")),
		"a: b z; b: c z; c: z",
	},
	{
		"a sharded listener passes on: removed first",
		desired(listeners(web("http", 80)), pool("old", "http")), desired(listeners(web("http", 80)), pool("new", "http")),
		"new: old",
	},
	{
		"and the other removals and changes come last all the same",
		desired(listeners(web("http", 80)), pool("old", "http"), pool("x"), pool("a")),
		desired(listeners(web("http", 80)), pool("new", "http"), command(pool("a"))),
		"new: old; old: a; x: new a",
	},
	{
		"a sharded listener goes from one pool to the next, under another name",
		desired(listeners(web("http", 80)), pool("a", "http"), pool("b")),
		desired(listeners(web("web", 80)), pool("a"), pool("b", "web")),
		"b: a",
	},
	{
		"a shared listener may have two",
		desired(listeners(socket("s", "/s")), pool("old", "s")), desired(listeners(socket("s", "/s")), pool("new", "s")),
		"old: new",
	},
	{
		"a per-slot listener belongs to one",
		desired(listeners(perSlot("p", 9000)), pool("old", "p")), desired(listeners(perSlot("p", 9000)), pool("new", "p")),
		"new: old",
	},
	{
		"worker ids pass on",
		desired(nil, ids(pool("old"), 0, 9)), desired(nil, ids(pool("new"), 9, 20)),
		"new: old",
	},
	{
		"worker ids beside each other",
		desired(nil, ids(pool("old"), 0, 9)), desired(nil, ids(pool("new"), 10, 20)),
		"old: new",
	},
	{
		"worker ids that nobody named are of their pool",
		desired(nil, pool("old")), desired(nil, ids(pool("new"), 0, math.MaxInt32-1)),
		"old: new",
	},
	{
		"worker ids are shifted",
		desired(nil, ids(pool("a"), 0, 9), ids(pool("b"), 10, 19)), desired(nil, ids(pool("a"), 10, 19), ids(pool("b"), 20, 29)),
		"a: b",
	},
	{
		"worker ids are swapped",
		desired(nil, ids(pool("a"), 0, 9), ids(pool("b"), 10, 19)), desired(nil, ids(pool("a"), 10, 19), ids(pool("b"), 0, 9)),
		"!pools a, b each take what another one still has",
	},
	{
		"listeners are swapped",
		desired(listeners(web("x", 1), web("y", 2)), pool("a", "x"), pool("b", "y")),
		desired(listeners(web("x", 1), web("y", 2)), pool("a", "y"), pool("b", "x")),
		"!pools a, b each take what another one still has",
	},
	{
		"one comes after the pool that takes its listener",
		desired(listeners(web("x", 1)), pool("a", "x"), pool("b")),
		desired(listeners(web("x", 1)), after(pool("a"), "b"), pool("b", "x")),
		"!pools a, b each take what another one still has",
	},
}

func perSlot(name string, port int) listener.Config {
	l := web(name, port)
	l.Mode = listener.PerSlot
	return l
}

func TestOrderOfChanges(t *testing.T) {
	for _, tt := range orders {
		t.Run(tt.name, func(t *testing.T) {
			p, err := plan.Compare(tt.before, tt.after, nil)
			if words, refused := strings.CutPrefix(tt.want, "!"); refused {
				if !errors.Is(err, plan.ErrOrder) {
					t.Fatalf("error %v, want one of order", err)
				}
				checkOrder(t, err, words)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := needsOf(p); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func needsOf(p *plan.Plan) string {
	var all []string
	for i := range p.Changes {
		var needs strings.Builder
		for _, j := range p.Changes[i].Needs {
			needs.WriteString(" " + p.Changes[j].Pool)
		}
		if needs.Len() > 0 {
			all = append(all, p.Changes[i].Pool+":"+needs.String())
		}
	}
	return strings.Join(all, "; ")
}

// What runs may differ from what was described.
func TestWhatIsKnownOfTheMoment(t *testing.T) {
	web, sized := pool("web"), pool("web")
	sized.Spec.Workers = 5
	for _, tt := range []struct {
		name string
		to   plan.Pool
		now  plan.Now
		want string
	}{
		{"as described", web, plan.Now{Workers: 2}, "web: kept"},
		{"somebody scaled it, and the file says what it said", web, plan.Now{Workers: 3}, "web: scaled, 3 -> 2 workers"},
		{"somebody scaled it to what the file says now", sized, plan.Now{Workers: 5}, "web: kept"},
		{"scaled and changed", command(web), plan.Now{Workers: 3}, "web: rolled (command), 3 -> 2 workers"},
		{"another executable", web, plan.Now{Workers: 2, Replaced: true}, "web: rolled (executable replaced)"},
		{"another executable too", command(web), plan.Now{Workers: 2, Replaced: true}, "web: rolled (command, executable replaced)"},
		{"it has ended", web, plan.Now{Workers: 2, Ended: true}, "web: added (it had ended), 2 workers"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := plan.Compare(desired(nil, web), desired(nil, tt.to), map[string]plan.Now{"web": tt.now})
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Changes[0].String(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			if (p.Changes[0].From == nil) != tt.now.Ended {
				t.Errorf("from: %v", p.Changes[0].From)
			}
		})
	}
	p, err := plan.Compare(desired(nil, web, pool("b")), desired(nil, pool("b")), map[string]plan.Now{"web": {Workers: 7}})
	if err != nil || p.Changes[1].String() != "web: removed, 7 workers" {
		t.Errorf("%v, %v", p, err)
	}
}
