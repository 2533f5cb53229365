package machine

import "slices"

// world is the machine's state together with the environment's own books. The checks trust the books, which are
// kept from the actions and the events alone, and never what the machine counts.
type world struct {
	st State

	procs   []proc  // by place
	adopted []bool  // by place: somebody is to serve its queue
	fails   []uint8 // by slot: failures in a row of the generation it is to run
	mending []bool  // by slot: somebody who did not work was taken away, and nobody has become ready since
	steered []Place // where new connections go
	timers  []Timer // set, and neither stopped nor ended

	spec     Spec   // what is wanted
	prior    Spec   // what is wanted again if the open rollout fails; no workers if none is open
	coming   Spec   // what is wanted when the next rollout begins; no workers if nothing else
	menu     []Spec // what users may change to; never changed
	terms    int    // terminations sent
	stopping bool
	patient  bool // while stopping: who serves is not told before the delay has ended
	heirs    bool // while stopping: others will come to its queues
	parted   bool // and connections have been steered away from everybody
	failed   bool // the stop is to end with 1
	exited   bool

	good   uint64 // the generation that the last finished rollout led to
	open   uint64 // the target of the rollout that was announced and has not ended; 0 if none
	queued bool   // a rollout was asked for while one was open
	passed bool   // a worker of the open rollout has proved itself
	inc    uint64 // the highest incarnation ever started
	target uint64 // the highest generation ever announced

	fleet fleet

	left budget
}

// proc is what the environment knows of the process group at a place. The zero value is nobody.
type proc struct {
	inc        uint64
	id         int
	fence      uint64 // of the claim to its id that it started with
	lead       uint64 // of the claim to lead that it started with
	generation uint64
	leader     bool // the leading process lives; without it, others of its group do
	said       bool // it said that it is ready
	leaving    bool // it said that it leaves, or its leader died, or it was told to leave
	told       bool // it was told to leave
	killed     bool
	owed       bool // a reload was relayed while it started
	proving    bool // it is ready, and its rollout is not to count on it yet
	fit        fitness
	due        bool   // it is to be recycled
	tried      bool   // its successor started, and the gap that follows did not begin yet
	traced     bool   // it was told to say where it hangs
	ended      Ending // nobody is to follow it; kept when it is gone
	dump       asked
}

// fitness says what is known of a process that was ready once.
type fitness uint8

const (
	isFit     fitness = iota
	isUnready         // it is to be steered away from
	isFailing         // and to be replaced
)

// asked says how a request for a dump stands.
type asked uint8

const (
	notAsked asked = iota
	isAsked        // a dump was asked for, and it has not been told
	mayMiss        // the same, but it was out of service since, maybe when its turn came
)

func (p *proc) lives() bool { return p.inc != 0 }

// serves reports whether the process could answer a connection.
func (p *proc) serves() bool { return p.leader && p.said && !p.leaving }

// budget bounds what the environment does on one path, which keeps the number of states finite. Everything that is
// not listed happens as often as it can: answers, timers, deaths of those that were told to leave, kills.
type budget struct {
	total   uint8 // of all but the terminations
	crashes uint8 // deaths nobody asked for, clean or not, young or old
	remains uint8 // leaders that die before their group
	leaves  uint8 // workers that leave by themselves
	lates   uint8 // workers that are not ready in time
	rolls   uint8
	reloads uint8
	scales  uint8
	dumps   uint8
	changes uint8 // of the specification
	unfits  uint8 // workers that become unready or fail
	dues    uint8 // workers that are to be recycled
	aborts  uint8
	losses  uint8 // claims that lapse or are lost
	others  uint8 // claims that others make first, or leave to us
	strays  uint8 // claims that come although they were not wanted any more
	terms   uint8
	stops   uint8
}

func index(slot int, side Side) int { return 2*slot + int(side) }

func at(i int) Place { return Place{Slot: i / 2, Side: Side(i % 2)} }

func (p Place) index() int { return index(p.Slot, p.Side) }

func (r Ref) place() Place { return Place{Slot: r.Slot, Side: r.Side} }

func (w *world) ref(i int) Ref {
	return Ref{Slot: i / 2, Side: Side(i % 2), Inc: w.procs[i].inc}
}

// proc returns the process that ref names, nil if it is not there.
func (w *world) proc(ref Ref) *proc {
	i := ref.place().index()
	if i >= len(w.procs) || ref.Inc == 0 || w.procs[i].inc != ref.Inc {
		return nil
	}
	return &w.procs[i]
}

func (w *world) health(i int) Health {
	if i/2 >= len(w.st.Slots) {
		return Free
	}
	return w.st.Slots[i/2].Workers[i%2].Health
}

func (w *world) holder(i int) uint64 {
	if i/2 >= len(w.st.Slots) {
		return 0
	}
	return w.st.Slots[i/2].Workers[i%2].Inc
}

// living counts the processes that are not reaped, of all slots or of the wanted ones.
func (w *world) living(slots int) int {
	n := 0
	for i := range w.procs {
		if i/2 < slots && w.procs[i].lives() {
			n++
		}
	}
	return n
}

// inService counts the processes that serve and have not been steered away from.
func (w *world) inService() int {
	n := 0
	for i := range w.procs {
		if w.inServiceAt(i) {
			n++
		}
	}
	return n
}

// takers counts the processes that new connections are to go to: those in service or, if there are none, those that are up.
func (w *world) takers() int {
	n := 0
	for i := range w.procs {
		if w.takes(i) {
			n++
		}
	}
	return n
}

func (w *world) takes(i int) bool {
	h := w.health(i)
	return w.procs[i].serves() && (h.Serves() || w.inService() == 0 && isUp(h))
}

// isUp reports whether a worker of this health is to stay, and has been ready.
func isUp(h Health) bool { return h == Proving || h == Ready || h == Unready || h == Failing }

// unfitSlots counts the wanted slots that have a worker which is up, and none in service.
func (w *world) unfitSlots() int {
	n := 0
	for slot := range min(w.wanted(), len(w.procs)/2) {
		a, b := w.health(index(slot, A)), w.health(index(slot, B))
		if (isUp(a) || isUp(b)) && !a.Serves() && !b.Serves() {
			n++
		}
	}
	return n
}

func (w *world) inServiceAt(i int) bool { return w.procs[i].serves() && w.health(i).Serves() }

// servedSlots counts the wanted slots that have a worker in service.
func (w *world) servedSlots() int {
	n := 0
	for slot := range min(w.wanted(), len(w.procs)/2) {
		for _, i := range [...]int{index(slot, A), index(slot, B)} {
			if w.inServiceAt(i) {
				n++
				break
			}
		}
	}
	return n
}

func (w *world) grow(places int) {
	for len(w.procs) < places {
		w.procs = append(w.procs, proc{})
		w.adopted = append(w.adopted, false)
	}
	for len(w.fails) < places/2 {
		w.fails, w.mending = append(w.fails, 0), append(w.mending, false)
		w.fleet.rested = append(w.fleet.rested, false)
	}
}

func (w *world) clone() *world {
	c := *w
	c.procs = slices.Clone(w.procs)
	c.adopted = slices.Clone(w.adopted)
	c.fails, c.mending = slices.Clone(w.fails), slices.Clone(w.mending)
	c.timers = slices.Clone(w.timers)
	c.fleet = w.fleet.clone()
	return &c // the machine never changes a state or a list of members that it has given away
}

// spend pays for one happening.
func (b *budget) spend(of func(*budget) *uint8) {
	*of(b)--
	if of(b) != &b.terms {
		b.total--
	}
}

// trim takes away what cannot be spent any more.
func (b *budget) trim(stopping bool) {
	if stopping {
		*b = budget{total: b.total, terms: b.terms, remains: b.remains, crashes: b.crashes, losses: b.losses, strays: b.strays}
		b.total = min(b.total, b.remains+b.crashes+b.losses+b.strays)
	}
	for _, of := range b.each() {
		*of = min(*of, b.total)
	}
}

// each lists what the total bounds.
func (b *budget) each() [16]*uint8 {
	return [...]*uint8{
		&b.crashes, &b.remains, &b.leaves, &b.lates, &b.rolls, &b.reloads, &b.scales, &b.dumps, &b.changes, &b.unfits, &b.dues,
		&b.aborts, &b.stops, &b.losses, &b.others, &b.strays,
	}
}

// covers reports whether whatever can be paid from o can be paid from b as well.
func (b *budget) covers(o *budget) bool {
	if b.total < o.total || b.terms < o.terms {
		return false
	}
	theirs := o.each()
	for i, of := range b.each() {
		if *of < *theirs[i] {
			return false
		}
	}
	return true
}
