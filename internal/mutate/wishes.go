package main

// wishBugs are about what is wanted of a pool, and how a rollout gets there or back.
func wishBugs() []mutation {
	return []mutation{
		{
			"a failed rollout leaves its specification behind", "rollout.go",
			"s.put(failed.Before)", "s.put(s.Spec)",
		},
		{
			"a failed rollout takes back what was changed beside it", "wish.go",
			"s.Rollout.Before = e.Spec", "_ = e.Spec",
		},
		{
			"a failed rollout takes back that the pool was scaled", "wish.go",
			"s.Rollout.Before = s.Rollout.Before.scaled(workers)", "_ = s.Rollout.Before.scaled(workers)",
		},
		{
			"a queued specification is not scaled", "wish.go",
			"s.Rollout.After = s.Rollout.After.scaled(workers)", "_ = s.Rollout.After.scaled(workers)",
		},
		{
			"of two queued specifications the first wins", "wish.go",
			"case s.Rollout.Phase == Rolling:\n\t\ts.Rollout.Queued", "case s.Rollout.After.Workers > 0:\n\tcase s.Rollout.Phase == Rolling:\n\t\ts.Rollout.Queued",
		},
		{
			"a queued specification is forgotten", "rollout.go",
			"s.begin(after)", "s.begin(s.Spec)",
		},
		{
			"the queue survives an abort", "rollout.go",
			"s.Rollout.Queued, s.Rollout.After = 0, Spec{}", "s.Rollout.After = Spec{}",
		},
		{
			"an abort does not answer for the queue", "rollout.go",
			"s.Rollout.Target = queued\n\t\ts.act(RolloutEnded{Target: queued, Cause: Aborted})", "s.Rollout.Target = queued",
		},
		{
			"the number of an aborted rollout is given again", "rollout.go",
			"s.Rollout.Target = queued\n", "",
		},
		{
			"workers that start keep the timers of another specification", "wish.go",
			"s.retime(before)\n", "",
		},
		{
			"a time to become ready ends though there is none any more", "step.go",
			"if s.Spec.ReadyTimeout == 0 {", "if s.Spec.ReadyTimeout < 0 {",
		},
		{
			"worker ids start at 0 whatever their range", "room.go",
			"return r.first + r.next, true", "return r.next, true",
		},
		{
			"worker ids below their range", "room.go",
			"at >= 0 && at < ids", "at < ids",
		},
		{
			"a backoff ends beside a worker that stop-first is to wait for", "moves.go",
			"|| overlaps ||", "|| overlaps && s.Phase != Serving ||",
		},
		{
			"the canary does not hold the others", "proof.go",
			"return s.Spec.Canary > 0 && !s.Rollout.Proven", "return s.Spec.Canary > 0 && !s.Rollout.Proven && s.Phase != Serving",
		},
		{
			"broken slots do not wait for the canary", "proof.go",
			"if tries || !slot.isAlive() {", "if tries && !slot.isAlive() {",
		},
		{
			"the others wait for ever, though the canary has proved itself", "proof.go",
			"s.Rollout.Proven = true", "s.Rollout.Proven = s.Rollout.Proven || false",
		},
		{
			"min ready holds after the canary alone", "proof.go",
			"return s.Spec.MinReady\n", "return 0\n",
		},
		{
			"one that is proving itself is relied on", "reconcile.go",
			"return s.Ready() + s.finishedSlots()", "return s.count(Health.Serves) + s.finishedSlots()",
		},
		{
			"a rollout is through before its workers have proved themselves", "rollout.go",
			"case w.Health == Ready || w.Health == Finished:", "case w.Health.Serves() || w.Health == Finished:",
		},
		{
			"a clean death is forgiven while it proves itself", "deaths.go",
			"wasReady && w.Health != Proving && e.Clean", "wasReady && e.Clean",
		},
		{
			"nobody who proves itself gets a reload that it is owed", "derive.go",
			"case w.Health.Up():\n\t\t\ts.act(Relay", "case w.Health == Ready:\n\t\t\ts.act(Relay",
		},
		{
			"the delay of a stop is not cut by the second termination", "shutdown.go",
			"h.Leaving() && h <= Draining", "h > Settling && h <= Draining",
		},
		{
			"the delay of a stop keeps workers that start", "shutdown.go",
			"case w.Health == Starting || delay == 0:", "case delay == 0:",
		},
		{
			"the delay of a stop is no settle time", "spec.go",
			"return max(s.Settle, s.StopDelay)", "return s.Settle",
		},
		{
			"a slot that has finished is filled again", "reconcile.go",
			"case slot.over() || s.mayFinish(slot):", "case s.mayFinish(slot):",
		},
		{
			"a slot is filled though its worker may be leaving for good", "reconcile.go",
			"case slot.over() || s.mayFinish(slot):", "case slot.over():",
		},
		{
			"who has finished is missing", "reconcile.go",
			"return s.Ready() + s.finishedSlots()", "return s.Ready()",
		},
		{
			"the incumbent of a successor that has finished stays for ever", "reconcile.go",
			"case hasOld && slot.hasFinished():\n\t\t\ts.relieve(s.ref(i, old), &ready)", "case hasOld && slot.hasFinished():",
		},
		{
			"who has finished stays so under another policy", "wish.go",
			"if i >= spec.Workers || !spec", "if i >= spec.Workers && !spec",
		},
		{
			"a worker that has another beside it finishes the slot", "finish.go",
			"across.Health.Active() && across.Generation", "across.Health == Free && across.Generation",
		},
		{
			"a pool whose work is done stays", "shutdown.go",
			"s.Phase == Serving && s.done()", "s.Phase == Stopping && s.done()",
		},
		{
			"a pool whose work went wrong exits with 0", "finish.go",
			"if w.Ended == EndedBadly {", "if w.Ended == NotEnded {",
		},
	}
}
