package main

// turnBugs are about rollouts that supervisors take turns at.
func turnBugs() []mutation {
	return []mutation{
		{
			"a rollout does not wait for its turn", "turns.go",
			"!spec.takesTurns() || s.hasTurn() {", "true {",
		},
		{
			"a rollout that waits never asks for a turn", "turns.go",
			"if s.awaitsTurn() || s.needsTurn()", "if s.needsTurn()",
		},
		{
			"a turn that was lost is not asked for again", "turns.go",
			"|| s.needsTurn() && !s.hasTurn()", "",
		},
		{
			"a rollout goes on without its turn", "turns.go",
			"return !s.Spec.takesTurns() || s.hasTurn()", "return true",
		},
		{
			"a turn that lapses is used", "turns.go",
			"h.Right == ToRoll && !h.Lapsing })", "h.Right == ToRoll })",
		},
		{
			"the next rollout has the turn of the one before it", "rollout.go",
			"Cause: RolledOut})\n\ts.endTurn()", "Cause: RolledOut})",
		},
		{
			"a rollout that failed keeps its turn for the next one", "rollout.go",
			"Ref: ref})\n\ts.endTurn()", "Ref: ref})",
		},
		{
			"the turn is given back while the rollout goes on", "claims.go",
			"turns = 1", "turns = 0",
		},
		{
			"a turn is kept when nothing rolls", "claims.go",
			"if s.needsTurn() {", "if s.needsTurn() || true {",
		},
		{
			"a rollout that waits is not aborted", "rollout.go",
			"	s.dropQueued(queued, Aborted)\n", "	_ = queued\n",
		},
		{
			"a stop ends a rollout that waits without a word", "shutdown.go",
			"s.dropQueued(s.Rollout.Queued, StopCame)", "s.Rollout.Queued = 0",
		},
		{
			"a rollout that needs no turn any more waits on", "wish.go",
			"		s.beginQueued() // it may need no turn any more\n", "",
		},
		{
			"a turn that came is not used", "step.go",
			"		s.beginQueued()\n", "",
		},
	}
}
