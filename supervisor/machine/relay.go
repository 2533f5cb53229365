package machine

import "slices"

// reload makes the workers read their configuration again. Relaying is right only where no worker dies of it, so
// ReloadAuto rolls as soon as one ready worker is not known to be safe. Workers that are still starting may have read
// the old configuration already: they get the signal when they are ready.
func (s *stepper) reload(safe []Ref) {
	if s.Phase != Serving {
		return
	}
	if s.RollsOnReload(safe) {
		s.roll()
		return
	}
	for _, ref := range s.refs(Health.Up) {
		s.act(Relay{Ref: ref, Purpose: ForReload})
	}
	for _, ref := range s.refs(func(h Health) bool { return h == Starting }) {
		if !slices.Contains(s.Owed, ref) {
			s.Owed = append(s.Owed, ref)
		}
	}
}

// RollsOnReload reports whether a reload request would roll the pool. Safe is as in ReloadRequested.
func (s *State) RollsOnReload(safe []Ref) bool {
	switch s.Spec.Reload {
	case ReloadRoll:
		return true
	case ReloadSignal:
		return false
	case ReloadAuto:
	}
	known := make(map[Ref]bool, len(safe))
	for _, ref := range safe {
		known[ref] = true
	}
	ready := s.refs(Health.Up)
	unsafe := func(ref Ref) bool { return !known[ref] }
	return s.Rollout.Phase == Rolling || len(ready) == 0 || slices.ContainsFunc(ready, unsafe)
}

// dump makes the ready workers write heap dumps one after another. Those that still wait for their turn are not queued
// twice; the first of the queue has had its signal, so it is asked again.
func (s *stepper) dump() {
	if s.Phase != Serving {
		return
	}
	idle := len(s.Dumps) == 0
	waiting := s.Dumps[min(1, len(s.Dumps)):]
	for _, ref := range s.refs(Health.Up) {
		if !slices.Contains(waiting, ref) {
			s.Dumps = append(s.Dumps, ref)
		}
	}
	if idle {
		s.dumpFirst()
	}
}

// nextDump ends the gap after a worker's dump.
func (s *stepper) nextDump(done Ref) {
	if len(s.Dumps) > 0 && s.Dumps[0] == done {
		s.Dumps = s.Dumps[1:]
		s.dumpFirst()
	}
}

// dumpFirst tells the first worker of the queue that is still ready to dump, and starts the gap after it.
func (s *stepper) dumpFirst() {
	for ; len(s.Dumps) > 0; s.Dumps = s.Dumps[1:] {
		ref := s.Dumps[0]
		if w, ok := s.Worker(ref); ok && w.Health.Up() {
			s.act(Relay{Ref: ref, Purpose: ForDump})
			s.act(SetTimer{Timer: Timer{Kind: DumpTimer, Ref: ref}, After: s.Spec.DumpGap})
			return
		}
	}
	s.Dumps = nil
}

func (s *stepper) endDumps() {
	if len(s.Dumps) > 0 {
		s.act(StopTimer{Timer: Timer{Kind: DumpTimer, Ref: s.Dumps[0]}})
	}
	s.Dumps = nil
}
