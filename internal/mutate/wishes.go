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
			"default:\n\t\ts.Rollout.Queued", "case s.Rollout.After.Workers > 0:\n\tdefault:\n\t\ts.Rollout.Queued",
		},
		{
			"a queued specification is forgotten", "turns.go",
			"return s.Rollout.After\n", "return s.Spec\n",
		},
		{
			"the queue survives an abort", "rollout.go",
			"s.Rollout.Queued, s.Rollout.After = 0, Spec{}", "s.Rollout.After = Spec{}",
		},
		{
			"an abort does not answer for the queue", "turns.go",
			"s.act(RolloutEnded{Target: queued, Cause: cause})", "_ = cause",
		},
		{
			"the number of an aborted rollout is given again", "turns.go",
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
			"case w.Health == Starting:", "case w.Health == Starting && delay == 0:",
		},
		{
			"a stop steers nobody away though others will come", "part.go",
			"s.act(Steer{Members: vacant})", "_ = vacant",
		},
		{
			"connections are to wait for others where somebody is", "part.go",
			"if !slot.Workers[side].Health.HasProcess() {", "if slot.Workers[side].Health.HasProcess() {",
		},
		{
			"a stop steers away and does not settle", "part.go",
			"s.Parting == Parted && settle > 0", "s.Parting != Parted && settle > 0",
		},
		{
			"queues stay abandoned though others will come", "part.go",
			"if !s.keeps(i, side) {", "if !s.keeps(i, side) && s.Phase != Serving {",
		},
		{
			"the second termination forgets to steer away", "shutdown.go",
			"if s.Parting == Departs {", "if s.Parting == Parted {",
		},
		{
			"after the delay of a stop nobody is steered away from", "step.go",
			"if s.Parting == Departs {", "if s.Parting == Departs && s.Phase == Serving {",
		},
		{
			"the settle time of a stop is that of its delay", "moves.go",
			"case s.Parting == Parted:", "case s.Parting == Departs:",
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
