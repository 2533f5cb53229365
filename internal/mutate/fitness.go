package main

// fitnessBugs are about workers that are up and do not work.
func fitnessBugs() []mutation {
	return []mutation{
		{
			"an unready worker still gets connections", "state.go",
			"return h == Proving || h == Ready }", "return h == Proving || h == Ready || h == Unready }",
		},
		{
			"when all are unready the last one gets everything", "derive.go",
			"return h.Serves() || !anyServes && h.Up()", "return h.Serves()",
		},
		{
			"an unready worker is not taken back", "step.go",
			"case w.Health == Unready || w.Health == Failing:", "case w.Health == Failing:",
		},
		{
			"a failing worker is never replaced", "reconcile.go",
			"s.repair()", "",
		},
		{
			"all failing workers are replaced at once", "fitness.go",
			"if missing >= max(1, s.Spec.Unavailable()) {", "if missing >= s.Spec.Workers {",
		},
		{
			"the budget of repairs does not count slots that are empty already", "fitness.go",
			"!slot.isUp() && !slot.over() {\n\t\t\tmissing++", "!slot.isUp() && !slot.over() {\n\t\t\tmissing += 0",
		},
		{
			"a slot that crashes again and again holds up the repair of the others", "fitness.go",
			"slot.Repairing && ", "",
		},
		{
			"a repair is counted for ever", "step.go",
			"s.Slots[ref.Slot].Repairing = false", "_ = ref",
		},
		{
			"nobody is replaced where a rollout may stop nobody", "fitness.go",
			"max(1, s.Spec.Unavailable())", "s.Spec.Unavailable()",
		},
		{
			"the replacement of a failing worker is not charged", "fitness.go",
			"\ts.failed(ref, w, SuccessorUnfit)\n", "\t_ = w\n",
		},
		{
			"a worker that was stable before it failed keeps its old failures", "fitness.go",
			"slot.Failures = 0", "slot.Failures += 0",
		},
		{
			"the next worker does not wait for the place of a failing one", "reconcile.go",
			"|| slot.keepsPlace() ", "",
		},
		{
			"a place is awaited for ever", "step.go",
			"case Reaping:\n\t\ts.move(t.Ref, Killed)", "case Reaping:",
		},
		{
			"a rollout goes on though its successor is unready", "fitness.go",
			"s.abort(SuccessorUnfit, ref)\n\t\treturn", "return",
		},
		{
			"stop-first takes an unready worker although nobody else is left", "reconcile.go",
			"!s.Slots[ref.Slot].isOvermanned() && !s.spares(*ready+s.unfitSlots()):", "false:",
		},
		{
			"two workers of a slot, one of them unready, hold up the next rollout", "rollout.go",
			" || slot.isOvermanned()", "",
		},
		{
			"an unready slot holds up the rollout of the others", "reconcile.go",
			"s.spares(*ready+s.unfitSlots()) {", "s.spares(*ready) {",
		},
		{
			"a worker that is traced is told to leave as well", "shutdown.go",
			"h.Leaving() && h <= Draining", "h.Leaving() && h <= Reaping",
		},
		{
			"the reload signal passes by an unready worker", "relay.go",
			"s.refs(Health.Up) {\n\t\ts.act(Relay", "s.refs(Health.Serves) {\n\t\ts.act(Relay",
		},
	}
}

// recycleBugs are about workers that are replaced although they work.
func recycleBugs() []mutation {
	return []mutation{
		{
			"a recycling is forgotten while it waits", "recycle.go",
			"s.Due = append(s.Due, ref)\n\t}\n}\n\n// outdates", "s.Due = []Ref{ref}\n\t}\n}\n\n// outdates",
		},
		{
			"two recyclings at once", "recycle.go",
			"s.Resting != (Ref{}) || s.recycles() {", "s.Resting != (Ref{}) {",
		},
		{
			"no gap between two recyclings", "recycle.go",
			"s.Resting != (Ref{}) || s.recycles()", "s.recycles()",
		},
		{
			"a successor starts for a recycling although a rollout has begun", "reconcile.go",
			"\tcase s.postpones(i):\n", "",
		},
		{
			"a recycling whose successor failed is tried again at once", "deaths.go",
			"\ts.dropRecycling(ref)\n", "",
		},
		{
			"a recycling that failed is not tried again", "recycle.go",
			"s.recycled(incumbent)\n\ts.Due = append(s.Due, incumbent)", "s.recycled(incumbent)",
		},
		{
			"a rollout relies on a worker that goes because its recycling ended", "reconcile.go",
			" && (slot.isRecycled(A) || slot.isRecycled(B))", " && false",
		},
		{
			"the gap outlives the pool", "shutdown.go",
			"\ts.endRecycling()\n", "",
		},
		{
			"a recycled worker has to wait for slots that are broken", "reconcile.go",
			"\t\ts.retire(incumbent)\n\tdefault:", "\t\ts.retireOld(incumbent, ready)\n\tdefault:",
		},
	}
}
