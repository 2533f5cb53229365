package machine

import "encoding/binary"

// Canonical worlds, and what they consist of, as bytes: different ones have different bytes.

func appendNumbers(b []byte, vs ...uint64) []byte {
	for _, v := range vs {
		b = binary.AppendUvarint(b, v)
	}
	return b
}

func appendFlags(b []byte, fs ...bool) []byte {
	v := uint64(0)
	for i, f := range fs {
		if f {
			v |= 1 << i
		}
	}
	return binary.AppendUvarint(b, v)
}

func (w *world) encode(b []byte) []byte {
	b = w.st.encode(b)
	b = appendNumbers(b, uint64(len(w.procs)))
	for i := range w.procs {
		p := &w.procs[i]
		b = appendNumbers(b, p.inc, uint64(p.id), p.generation, uint64(p.dump), uint64(p.ended), uint64(p.fit))
		b = appendFlags(b, p.leader, p.said, p.leaving, p.told, p.killed, p.owed, p.proving, p.due, p.tried, p.traced, w.adopted[i])
	}
	b = append(b, w.fails...)
	b = appendFlags(b, w.mending...)
	b = appendNumbers(b, uint64(len(w.steered)))
	for _, p := range w.steered {
		b = appendNumbers(b, uint64(p.index()))
	}
	for _, t := range w.timers {
		b = appendNumbers(b, uint64(t.Kind), uint64(t.Ref.place().index()), t.Ref.Inc)
	}
	b = appendFlags(b, w.stopping, w.patient, w.heirs, w.parted, w.failed, w.exited, w.queued, w.passed)
	b = appendNumbers(b, uint64(w.terms), w.good, w.open, w.target)
	if w.spec.Claims {
		b = w.fleet.encode(b, w.procs)
	}
	for _, s := range []*Spec{&w.prior, &w.coming} {
		b = s.encode(b) // the one in force is the machine's, or the step broke a rule
	}
	return b
}

// encode leaves out the last incarnation: it follows from all others in a canonical world.
func (st *State) encode(b []byte) []byte {
	b = appendNumbers(b, uint64(st.Phase), st.Generation, uint64(st.Rollout.Phase), st.Rollout.Target, st.Rollout.Queued, uint64(st.Terms), uint64(st.Parting),
		uint64(st.ExitCode), uint64(len(st.Slots)), uint64(len(st.Dumps)), uint64(len(st.Owed)), uint64(len(st.Due)))
	for i := range st.Slots {
		s := &st.Slots[i]
		b = appendNumbers(b, s.Generation, uint64(s.Home), uint64(s.Failures), s.Outdated)
		b = appendFlags(b, s.Repairing, st.Rollout.Proven, s.Rested)
		for side := range s.Workers {
			v := &s.Workers[side]
			b = appendNumbers(b, uint64(v.Health), v.Inc, uint64(v.ID), v.Generation, uint64(v.Ended))
		}
	}
	for _, refs := range [][]Ref{st.Dumps, st.Owed, st.Due, {st.Resting}} {
		for _, r := range refs {
			b = appendNumbers(b, uint64(r.place().index()), r.Inc)
		}
	}
	if st.Spec.Claims {
		b = st.encodeClaims(b)
	}
	for _, s := range []*Spec{&st.Spec, &st.Rollout.Before, &st.Rollout.After} {
		b = s.encode(b)
	}
	return b
}

// encode writes what differs between the specifications of one search. What follows the number of workers is not looked
// at where there are none.
func (s *Spec) encode(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(s.Workers))
	if s.Workers == 0 {
		return b
	}
	for _, v := range [...]int{
		s.MaxSurge, s.MaxUnavailable, s.SurgePercent, s.UnavailablePercent, s.FirstID, s.LastID, int(s.Order), int(s.Reload),
		int(s.Restart), int(s.ReadyTimeout), int(s.MinReady), int(s.Canary), int(s.Settle), int(s.StopDelay), s.Backoff.GiveUpAfter,
		int(s.Trace), int(s.RecycleGap),
	} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	return appendFlags(b, s.Leader, s.Claims, s.KeepIDs, s.Turns)
}

func (h happening) encode(b []byte) []byte {
	cause, ref := causeOf(h.ev)
	b = appendNumbers(b, uint64(cause), uint64(ref.place().index()), ref.Inc)
	switch e := h.ev.(type) {
	case Died:
		b = appendNumbers(b, uint64(e.Age))
		b = appendFlags(b, e.Clean, e.Remains, e.Untold)
	case Failed:
		b = appendNumbers(b, uint64(e.Age))
	case ReloadRequested:
		for _, safe := range e.Safe {
			b = appendNumbers(b, uint64(safe.place().index()), safe.Inc)
		}
	case ScaleRequested:
		b = appendNumbers(b, uint64(e.Workers))
	case SpecChanged:
		b = e.Spec.encode(b)
		b = appendFlags(b, e.Roll)
	case Claimed:
		b = e.Claim.encode(b)
		b = appendFlags(b, e.Again)
	case Lapses:
		b = e.Claim.encode(b)
	case Lost:
		b = e.Claim.encode(b)
	default: // its name and its worker are all
	}
	return b
}

func (c Claim) encode(b []byte) []byte {
	return appendNumbers(b, uint64(c.Right), uint64(c.ID), c.Fence)
}

func (st *State) encodeClaims(b []byte) []byte {
	b = appendNumbers(b, uint64(len(st.Held)))
	for _, h := range st.Held {
		b = appendFlags(h.encode(b), h.Lapsing)
	}
	for _, n := range st.Asked {
		b = appendNumbers(b, uint64(n))
	}
	for i := range st.Slots {
		for _, v := range st.Slots[i].Workers {
			b = appendNumbers(b, v.Fence, v.Lead)
		}
	}
	return b
}

// encode leaves out what is held: it is what the machine holds, or the step broke a rule.
func (f *fleet) encode(b []byte, procs []proc) []byte {
	for right := range rights {
		b = appendNumbers(b, uint64(f.asks[right]), uint64(f.extra[right]))
	}
	b = appendFlags(appendFlags(b, f.strays[:]...), f.rested...)
	for i := range procs {
		b = appendNumbers(b, procs[i].fence, procs[i].lead)
	}
	return b
}
