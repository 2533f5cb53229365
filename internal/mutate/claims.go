package main

// claimBugs are about what supervisors share: worker ids, and who leads.
func claimBugs() []mutation {
	return []mutation{
		{
			"a worker id that somebody has is given again", "room.go",
			"s.isUsable(h) && !used[h.ID]", "s.isUsable(h)",
		},
		{
			"a claim is given back when its worker is killed, not when it is reaped", "claims.go",
			"if w.Health.HasProcess() && w.Uses(c)", "if w.Health.HasProcess() && w.Health != Killed && w.Uses(c)",
		},
		{
			"a loss is forgotten", "claims.go",
			"used && !s.keepsOn(c) && w.Health != Reaping", "used && false && w.Health != Reaping",
		},
		{
			"who is to keep its worker id is killed for its loss", "claims.go",
			"return c.Right == ToID && s.Spec.KeepIDs", "return false",
		},
		{
			"a leader serves on without its claim", "claims.go",
			"return c.Right == ToID && s.Spec.KeepIDs", "return s.Spec.KeepIDs",
		},
		{
			"somebody starts with a claim that lapses", "claims.go",
			"h.Right == ToID && !h.Lapsing && h.ID >=", "h.Right == ToID && h.ID >=",
		},
		{
			"nobody is told that its claim lapses", "claims.go",
			"used && w.Health < Draining", "used && w.Health > Killed",
		},
		{
			"news of an earlier claim to the same id is taken", "claims.go",
			"return h.Claim == c", "return h.Right == c.Right && h.ID == c.ID",
		},
		{
			"the next leader has the claim of the one before it", "claims.go",
			"ok && w.Health.HasProcess() && w.Lead", "false && ok && w.Health.HasProcess() && w.Lead",
		},
		{
			"nobody starts without a claim to lead, but nobody asks for one", "claims.go",
			"		s.wants[ToLead]++\n", "",
		},
		{
			"the leader starts without a claim", "claims.go",
			"s.Spec.Leads(slot) && !leads {", "s.Spec.Leads(slot) && !leads && slot > 0 {",
		},
		{
			"what was asked for is never taken back", "claims.go",
			"s.withdraw(right, s.wants[right])", "s.withdraw(right, s.Asked[right])",
		},
		{
			"more is asked for than there is room", "reconcile.go",
			"min(s.wants[ToID], max(0, s.limit()-s.census().occupied))", "s.wants[ToID] + 1",
		},
		{
			"worker ids that nobody needs are kept", "claims.go",
			"min(room.deserted+s.successors, s.limit()-room.unreaped)", "room.deserted + s.limit()",
		},
		{
			"a successor takes the worker id of a slot that has nobody", "room.go",
			"(deserted || len(r.claimed) > r.deserted)", "(deserted || len(r.claimed) > 0)",
		},
		{
			"a claim that comes after it was taken back counts as an answer that is still to come", "claims.go",
			"max(0, s.Asked[e.Claim.Right]-1)", "s.Asked[e.Claim.Right] - 1",
		},
		{
			"a claim that is had again counts as an answer", "claims.go",
			"if !e.Again {", "if true {",
		},
		{
			"a rollout waits for a leader that others have", "rollout.go",
			"return s.StandsBy(slot) && s.Slots[slot].Generation == generation", "return false",
		},
		{
			"a leader that stands by holds up the repair of the others", "fitness.go",
			" && !s.StandsBy(i)", "",
		},
		{
			"the worker id of a leader that stands by is given to another slot", "claims.go",
			"\t\ts.census().take(deserted)\n", "",
		},
		{
			"a backoff begins again while a claim is awaited", "moves.go",
			"slot.Rested = s.Spec.Claims", "slot.Rested = false",
		},
		{
			"connections wait for a leader that others have", "derive.go",
			" && !s.StandsBy(slot)", "",
		},
	}
}
