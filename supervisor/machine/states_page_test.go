package machine

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var updatePages = flag.Bool("update", false, "write docs/states.md anew")

const statesPage = "../../docs/states.md"

// compareWithStatesPage checks that the page shows the diagram that the machine keeps to, and what was seen to cause
// each move; and that no move of the diagram is there in vain.
func compareWithStatesPage(t *testing.T, seen *moveTable) {
	t.Helper()
	for from, tos := range Diagram() {
		for _, to := range tos {
			if seen.own[from][to]|seen.others[from][to] == 0 {
				t.Errorf("%v to %v is in the diagram and was never seen", from, to)
			}
		}
	}
	want := drawStates(seen)
	if *updatePages {
		if err := os.WriteFile(statesPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(statesPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the search saw; write it with: go test ./supervisor/machine -run TestModel -update", statesPage)
	}
}

func drawStates(seen *moveTable) string {
	var b strings.Builder
	b.WriteString(statesIntro)
	b.WriteString("\n```mermaid\nstateDiagram-v2\n    [*] --> free\n")
	eachMove(func(from, to Health) { fmt.Fprintf(&b, "    %v --> %v\n", from, to) })
	b.WriteString("```\n\n## Healths\n\n| health | means | has a process | timer |\n|---|---|---|---|\n")
	for h := Free; h <= Killed; h++ {
		timer, process := "-", "no"
		if kind, has := timerOf(h); has {
			timer = kind.String()
		}
		if h.HasProcess() {
			process = "yes"
		}
		fmt.Fprintf(&b, "| %v | %s | %s | %s |\n", h, healthMeans[h], process, timer)
	}
	b.WriteString(statesMoves)
	b.WriteString("\n| from | to | because of the worker's own news | because of something else |\n|---|---|---|---|\n")
	eachMove(func(from, to Health) {
		fmt.Fprintf(&b, "| %v | %v | %s | %s |\n", from, to, seen.own[from][to], seen.others[from][to])
	})
	return b.String()
}

func eachMove(do func(from, to Health)) {
	for from := Free; from <= Killed; from++ {
		tos := slices.Sorted(slices.Values(Diagram()[from]))
		for _, to := range tos {
			do(from, to)
		}
	}
}

func (c causes) String() string {
	var names []string
	for i, name := range causeNames {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	if names == nil {
		return "-"
	}
	return strings.Join(names, ", ")
}

var healthMeans = [...]string{
	Free:     "nobody is here",
	Waiting:  "the next worker starts when the backoff ends",
	Finished: "it ended by itself, and nobody follows it in its generation",
	Starting: "spawned, not ready yet",
	Proving:  "in service, but must stay ready for a while before its rollout counts on it",
	Ready:    "in service: new connections are steered to it",
	Unready:  "kept, but steered away from: it says, or is seen, that it does not serve for now",
	Failing:  "as unready, and replaced as soon as the pool can do without it",
	Settling: "steered away from, reads what it has accepted, has not been told to leave",
	Retiring: "leaves by its own will",
	Draining: "told to leave, or its leading process is gone and others of its group are not",
	Tracing:  "got SIGABRT, to say where it hangs, and is killed next",
	Reaping:  "failed, and SIGKILL was sent to its group: its successor waits for its place, but not for ever",
	Killed:   "SIGKILL was sent to its group, and it is not reaped",
}

const statesIntro = `# States of a worker

A slot has two sides, and each side holds one worker at most. This is the life of what is on one side. The page is
written by the exhaustive search of supervisor/machine (` + "`go test ./supervisor/machine -run TestModel -update`" + `)
and compared by every run of it; no move happens that is not here, and none is here that never happens. The causes are
those that were seen in the pools of one and two workers that every test run searches.
`

const statesMoves = `
A timer goes with the health: it is set when the health begins and stopped when it ends. Only the grace of a worker that
leaves by itself runs on when it is told to leave as well.

## Moves

What causes a move: news of the worker itself, or something that happened elsewhere - to another worker, to the whole
pool, by a request - and that the machine answered with this move.
`
