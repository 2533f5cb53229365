package machine

// moveTable collects which moves of health were seen, and what the worker itself did to cause them. It tells the
// reader of docs/states.md why a move happens, and the test that no move of the diagram is there in vain.
type moveTable struct {
	own    [Killed + 1][Killed + 1]causes // by news of this very worker
	others [Killed + 1][Killed + 1]causes // as a consequence of something else
}

// causes is a set of events.
type causes uint32

// The events, as docs/states.md lists them.
var causeNames = [...]string{
	"start of the pool", "ready", "leaves by itself", "died", "group gone",
	"backoff ended", "not ready in time", "proof ended", "settle ended", "grace ended", "trace ended", "not reaped in time", "dump gap ended", "recycle gap ended",
	"roll", "reload", "dump", "scale", "specification changed", "abort", "term", "stop", "kill",
	"unready", "fails", "recycling due", "claimed", "claim lapses", "claim lost",
}

func causeOf(ev Event) (cause int, ref Ref) {
	switch e := ev.(type) {
	case BecameReady:
		return 1, e.Ref
	case BecameUnready:
		return 23, e.Ref
	case Failed:
		return 24, e.Ref
	case RecycleDue:
		return 25, e.Ref
	case LeavesByItself:
		return 2, e.Ref
	case Died:
		return 3, e.Ref
	case Gone:
		return 4, e.Ref
	case TimerFired:
		return 5 + int(e.Timer.Kind), e.Timer.Ref
	case Claimed:
		return 26, Ref{}
	case Lapses:
		return 27, Ref{}
	case Lost:
		return 28, Ref{}
	case RollRequested:
		return 14, Ref{}
	case ReloadRequested:
		return 15, Ref{}
	case DumpRequested:
		return 16, Ref{}
	case ScaleRequested:
		return 17, Ref{}
	case SpecChanged:
		return 18, Ref{}
	case AbortRequested:
		return 19, Ref{}
	case TermReceived:
		return 20, Ref{}
	case StopRequested:
		return 21, Ref{}
	case KillRequested:
		return 22, Ref{}
	}
	return 0, Ref{}
}

// note enters the moves of one step.
func (t *moveTable) note(before, now *world, ev Event) {
	cause, ref := causeOf(ev)
	enter := func(i int, from, to Health) {
		if from == to {
			return
		}
		if ref.Inc != 0 && ref.place().index() == i && cause != 5+int(DumpTimer) {
			t.own[from][to] |= 1 << cause
			return
		}
		t.others[from][to] |= 1 << cause
	}
	for i := range now.procs {
		from, to := before.health(i), now.health(i)
		if before.holder(i) == now.holder(i) || from == Free || to == Free {
			enter(i, from, to)
			continue
		}
		enter(i, from, Free)
		enter(i, Free, to)
	}
}

func (t *moveTable) add(o *moveTable) {
	for from := range t.own {
		for to := range t.own[from] {
			t.own[from][to] |= o.own[from][to]
			t.others[from][to] |= o.others[from][to]
		}
	}
}
