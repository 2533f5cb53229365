package main

import "slices"

// mutation is one planted bug: in one file a text that occurs exactly once becomes another.
type mutation struct {
	name     string
	file     string
	old, new string
}

// mutations are all the planted bugs, in the order of the page.
func mutations() []mutation {
	return slices.Concat(workerBugs(), wishBugs(), fitnessBugs(), recycleBugs(), claimBugs(), turnBugs())
}

// workerBugs are about workers and what happens to them. When the machine changes and a text is not found any more, plant the same bug in the
// new text.
func workerBugs() []mutation {
	return []mutation{
		{
			"a worker id is free when its holder is killed, not when it is reaped", "room.go",
			"if !w.Health.HasProcess() {", "if !w.Health.HasProcess() || w.Health == Killed {",
		},
		{
			"a worker id is free when the leader is reaped, though others of its group live", "deaths.go",
			"case !e.Remains:", "case true:",
		},
		{
			"max_surge off by one", "room.go",
			"return s.Spec.Workers + s.Spec.Surge()", "return s.Spec.Workers + s.Spec.Surge() + 1",
		},
		{
			"availability off by one", "reconcile.go",
			"return available-1 >= s.Spec.Workers", "return available >= s.Spec.Workers",
		},
		{
			"exit while one is not reaped", "shutdown.go",
			"s.Unreaped() == 0", "s.Unreaped() <= 1",
		},
		{
			"the fourth termination does not exit", "shutdown.go",
			"forcedAt = 4", "forcedAt = 5",
		},
		{
			"a forced exit spares who drains", "shutdown.go",
			"if w.Health != Killed {\n\t\t\ts.move(ref, Killed)\n\t\t}\n\t\ts.act(Kill{Ref: ref})",
			"if w.Health != Killed && w.Health != Draining {\n\t\t\ts.move(ref, Killed)\n\t\t\ts.act(Kill{Ref: ref})\n\t\t}",
		},
		{
			"starts go on while stopping", "reconcile.go",
			"again := s.Phase == Serving; again; {\n\t\tdone := len(s.acts)\n\t\ts.repair()\n\t\tif s.Phase != Serving {",
			"again := true; again; {\n\t\tdone := len(s.acts)\n\t\ts.repair()\n\t\tif s.Phase == Exited {",
		},
		{
			"no grace timer", "moves.go",
			"if kind == ReadyTimer && after == 0 {", "if kind == GraceTimer || kind == ReadyTimer && after == 0 {",
		},
		{
			"the ready timer runs on", "moves.go",
			"has && (kind != ReadyTimer || s.Spec.ReadyTimeout > 0)", "has && kind != ReadyTimer",
		},
		{
			"late READY revives a draining worker", "step.go",
			"case w.Health != Starting:\n\tdefault:", "case w.Health != Starting && w.Health != Draining:\n\tdefault:",
		},
		{
			"news is taken whatever its incarnation", "state.go",
			"return w, w.Inc == ref.Inc && w.Health != Free", "return w, w.Health != Free",
		},
		{
			"the backoff never ends", "step.go",
			"case Waiting:\n\t\ts.spawn(t.Ref)", "case Waiting:",
		},
		{
			"a clean recycle counts as a crash", "deaths.go",
			"w.Health != Proving && e.Clean && e.Age", "w.Health != Proving && !e.Clean && e.Age",
		},
		{
			"a stable time does not end the count of failures", "deaths.go",
			"slot.Failures = 0\n\t}\n\tif how", "slot.Failures += 0\n\t}\n\tif how",
		},
		{
			"stopping forgets a settling worker", "shutdown.go",
			"return h.Active() || h == Settling", "return h.Active()",
		},
		{
			"an old worker that is still starting is never stopped", "reconcile.go",
			"case slot.Workers[successor].Health != Ready:", "case slot.Workers[successor].Health != Ready, slot.Workers[incumbent.Side].Health == Starting:",
		},
		{
			"a failed rollout forgets a slot", "rollout.go",
			"for i := range s.Slots {\n\t\ts.Slots[i].assign", "for i := range s.Slots[1:] {\n\t\ts.Slots[i].assign",
		},
		{
			"a rollout goes on after its successor failed", "deaths.go",
			"s.abort(cause, ref)\n\t\treturn", "return",
		},
		{
			"a queued rollout is lost", "rollout.go",
			"s.Rollout.After = queued, after", "s.Rollout.After = 0, after",
		},
		{
			"a forced exit leaves a rollout without an end", "shutdown.go",
			"if s.Rollout.Phase == Rolling {", "if s.Rollout.Phase == Rolling && s.Phase == Stopping {",
		},
		{
			"stop-first starts beside the incumbent", "reconcile.go",
			"|| s.Spec.orderAt(i) == StopFirst && !slot.empty() {", "{",
		},
		{
			"a leader starts beside the one before it", "spec.go",
			"if s.Leads(slot) {", "if s.Leads(slot) && s.Workers == 1 {",
		},
		{
			"a leader may never be missing, so it is never replaced", "spec.go",
			"if s.Leader || s.Order == StopFirst &&", "if s.Order == StopFirst &&",
		},
		{
			"steered away after the termination", "derive.go",
			"s.acts = append(first, s.acts...)", "s.acts = append(s.acts, first...)",
		},
		{
			"the last one gets connections until it is told to leave", "derive.go",
			"case len(vacant) > 0:", "case len(vacant) > 1:",
		},
		{
			"the last one is steered away from, and its successor comes where nobody waits", "vacate.go",
			"slot.Home = side.Other()\n\t\tvacant = append(vacant, Place{Slot: i, Side: slot.Home})",
			"vacant = append(vacant, Place{Slot: i, Side: side.Other()})",
		},
		{
			"an abandoned side is started without being adopted", "derive.go",
			"case is && !was:", "case is && !was && side == A:",
		},
		{
			"the queue waits where the successor died, though the incumbent serves", "reconcile.go",
			"if across.Health.Serves() && !stays ||", "if across.Health.Serves() && !stays && across.Generation == s.Generation ||",
		},
		{
			"who died is replaced on the other side", "reconcile.go",
			"side := slot.Home\n", "side := slot.Home.Other()\n",
		},
		{
			"the reload signal goes to a worker that would die of it", "relay.go",
			"return !known[ref]", "return !known[ref] && len(known) == 0",
		},
		{
			"two heap dumps at once", "relay.go",
			"if idle {\n\t\ts.dumpFirst()", "if idle || len(s.Dumps) > 1 {\n\t\ts.dumpFirst()",
		},
	}
}
