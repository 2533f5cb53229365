package machine

import (
	"fmt"
	"slices"
	"strings"
)

// search visits every world that a scenario can lead to, breadth first, so that the first violation is a shortest one.
// It leaves out a world that is like one visited before but for less of the budget: nothing can happen there that
// cannot happen in the other one, and the same comes of it.
type search struct {
	sc      scenario
	hasher  *hasher
	index   map[key]uint32 // of the latest of the worlds that differ in their budget only
	tried   map[key]bool   // late news, and the state of the machine that it came to
	from    []step         // how each world was reached first
	left    []budget       // of each world
	like    []uint32       // of each world, the one before it that differs in its budget only; itself if there is none
	depth   []int          // how many worlds there are up to each depth
	helpful edges
	steps   int // events applied, late ones too
	seen    *moveTable
}

// step says how a world was reached: by which of the possible happenings of which world.
type step struct {
	world uint32
	nth   uint16
}

// edges are the moves between worlds that happen sooner or later even if no worker ever obeys, and cost nothing.
type edges struct {
	start []uint32 // where a world's edges begin
	to    []uint32
}

func (e *edges) of(world int) []uint32 {
	end := uint32(len(e.to))
	if world+1 < len(e.start) {
		end = e.start[world+1]
	}
	return e.to[e.start[world]:end]
}

func newSearch(sc scenario) *search {
	return &search{sc: sc, hasher: newHasher(), index: map[key]uint32{}, tried: map[key]bool{}, seen: &moveTable{}}
}

// first is the world that the scenario begins with.
func (s *search) first() (*world, error) {
	w, err := begin(s.sc.spec, s.sc.left)
	if err != nil {
		return nil, err
	}
	w.menu = s.sc.menu
	w.canonical()
	return w, nil
}

// run searches, and returns the first violation with the way that leads to it.
func (s *search) run() error {
	first, err := s.first()
	if err != nil {
		return err
	}
	s.add(first, step{})
	var todo []happening
	for frontier := []*world{first}; len(frontier) > 0; {
		s.depth = append(s.depth, len(s.from))
		var next []*world
		base := len(s.helpful.start)
		for n, w := range frontier {
			here := uint32(base + n)
			s.helpful.start = append(s.helpful.start, uint32(len(s.helpful.to)))
			todo = w.possible(todo[:0])
			late := s.hasher.late(w, todo)
			known := s.tried[late]
			s.tried[late] = true
			for nth, h := range todo {
				if h.late && known {
					continue // what comes of it goes by the state of the machine alone
				}
				s.steps++
				to, err := w.after(h)
				if err != nil {
					return s.explain(here, h, err)
				}
				if to == nil {
					continue
				}
				s.seen.note(w, to, h.ev)
				to.canonical()
				i, isNew := s.add(to, step{world: here, nth: uint16(nth)})
				if isNew {
					next = append(next, to)
				}
				if h.helps && h.spend == nil {
					s.helpful.to = append(s.helpful.to, i)
				}
			}
			if int(s.helpful.start[here]) == len(s.helpful.to) {
				if err := w.arrived(); err != nil {
					return s.explain(here, happening{}, err)
				}
			}
		}
		frontier = next
	}
	return s.comesToRest()
}

// add enters a world, unless there is one that can do all that it can.
func (s *search) add(w *world, how step) (index uint32, isNew bool) {
	k := s.hasher.key(w)
	here := uint32(len(s.from))
	like, found := s.index[k]
	if !found {
		like = here
	}
	for i, more := like, found; more; i, more = s.like[i], s.like[i] != i {
		if s.left[i].covers(&w.left) {
			return i, false
		}
	}
	s.index[k] = here
	s.from, s.left, s.like = append(s.from, how), append(s.left, w.left), append(s.like, like)
	return here, true
}

// comesToRest checks the rest of I9: what helps cannot go round in circles. Each world without help is what is wanted
// already, so every path of help ends there. What costs something is not looked at, because no circle can go through it;
// and as help leads only to worlds with as much of the budget or more, all worlds of a circle have as much, and it is one.
func (s *search) comesToRest() error {
	worlds := len(s.from)
	into := make([]uint32, worlds)
	for _, to := range s.helpful.to {
		into[to]++
	}
	var ready []int
	for i := range worlds {
		if into[i] == 0 {
			ready = append(ready, i)
		}
	}
	done := 0
	for ; len(ready) > 0; done++ {
		i := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		for _, to := range s.helpful.of(i) {
			if into[to]--; into[to] == 0 {
				ready = append(ready, int(to))
			}
		}
	}
	if done == worlds {
		return nil
	}
	for i := range worlds {
		if into[i] > 0 {
			return s.explain(uint32(i), happening{}, &violation{"I9", "the desired state is never reached: worlds follow each other in a circle"})
		}
	}
	return nil
}

// explain tells the way to a world, and what went wrong there.
func (s *search) explain(at uint32, last happening, cause error) error {
	var way []uint16
	for i := at; i != 0; i = s.from[i].world {
		way = append(way, s.from[i].nth)
	}
	var b strings.Builder
	w, err := s.first()
	if err != nil {
		return err
	}
	for _, nth := range slices.Backward(way) {
		h := w.possible(nil)[nth]
		fmt.Fprintf(&b, "\n  %v\n    %v", w.picture(), h)
		if w, err = w.after(h); err != nil {
			return err
		}
		w.canonical()
	}
	fmt.Fprintf(&b, "\n  %v\n    %v", w.picture(), last)
	return fmt.Errorf("%w\nthe way there:%s", cause, b.String())
}

// picture shows a world in one line.
func (w *world) picture() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v gen %d rollout %v>%d queued %d |", w.st.Phase, w.st.Generation, w.st.Rollout.Phase, w.st.Rollout.Target, w.st.Rollout.Queued)
	for i, slot := range w.st.Slots {
		fmt.Fprintf(&b, " %d(gen %d home %v failures %d:", i, slot.Generation, slot.Home, slot.Failures)
		for side := A; side <= B; side++ {
			if v := slot.Workers[side]; v.Health != Free {
				fmt.Fprintf(&b, " %v=%v/gen%d/inc%d/id%d", side, v.Health, v.Generation, v.Inc, v.ID)
			}
		}
		b.WriteString(")")
	}
	return b.String()
}
