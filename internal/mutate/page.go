package main

import (
	"fmt"
	"os"
	"strings"
)

const page = "docs/mutations.md"

const intro = `# Planted bugs

The exhaustive search of supervisor/machine is only worth what it finds. ` + "`go run ./internal/mutate`" + ` plants these bugs in
the machine, one at a time and without changing the tree, runs the short searches on each until one finds it, the smallest
first, and fails if one survives or if this page does not say what was found (` + "`-write`" + ` writes it anew).

I1 to I10 are the promises of the package's documentation. The search checks these rules as well, and all of them from
the books of an environment of its own, never from what the machine counts:

| rule | means |
|---|---|
| total | no event in any state makes the machine panic |
| news | late and duplicate news, and requests out of bounds, change nothing |
| books | the machine's view of every process is the environment's, and nothing follows an exit |
| steering | connections go to the workers in service and to all of them, and a worker is steered away from before it is told to leave |
| queues | nobody starts or serves at an abandoned place, the dead are replaced where their connections wait, no queue is kept for nobody |
| signals | only living processes are signalled, nobody is told twice or killed before the grace ended, a stop tells everybody |
| rollouts | each rollout that begins has one end, a queued one begins, stop-first never overlaps, nobody outlives a successor that serves |
| reload | the signal goes to all that are known to survive it, when they are ready, and to nobody else |
| dumps | one at a time, with the gap between, and nobody who stays is forgotten |
| deaths | each death has one obituary, and it says what follows |
| backoff | restarts are spaced by the failures in a row, and only failures count |
| wishes | what is wanted is what was asked for last, and what a failed rollout brought is undone |
| proof | no slot gets its turn before the canary of another one has proved itself |
| restarts | nobody starts where the last worker has ended or may be leaving, and a pool whose work is done ends with the code of its endings |
| fitness | who does not work is replaced as soon as the pool can do without it, and not before, and its failure counts |
| recycling | only who is due is recycled, one at a time with a gap, never in a rollout, and nobody who is due is forgotten |
| claims | nobody leads with the claim of another one, no more is held or asked for than is needed, and slots that have nobody come first |
| turns | where supervisors take turns, no rollout begins and no slot gets the target without one, it is given back when nothing rolls, and nobody asks for one in vain |

`

const tableHead = "| planted bug | in | found by |\n|---|---|---|\n"

func render(results []result) string {
	var b strings.Builder
	b.WriteString(intro)
	b.WriteString(tableHead)
	for _, r := range results {
		found := "**survived**"
		if len(r.rules) > 0 {
			found = strings.Join(r.rules, ", ")
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", r.name, r.file, found)
	}
	return b.String()
}

func tableAt(text string) int { return strings.Index(text, tableHead) }

func compare(want string) error {
	got, err := os.ReadFile(page)
	if err != nil {
		return fmt.Errorf("cannot compare: %w", err)
	}
	if string(got) != want {
		return fmt.Errorf("%s does not say what was found; write it with -write", page)
	}
	return nil
}
