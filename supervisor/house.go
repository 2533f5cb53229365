package supervisor

import (
	"fmt"
	"maps"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/plan"
)

// house holds the open listeners of all pools. Only the loop changes it.
type house struct {
	open   map[plan.Key]Listener
	paused map[Listener]bool
}

func newHouse() *house {
	return &house{open: map[plan.Key]Listener{}, paused: map[Listener]bool{}}
}

// clone is for somebody beside the loop.
func (h *house) clone() *house {
	return &house{open: maps.Clone(h.open), paused: maps.Clone(h.paused)}
}

// furnish opens what a description wants and is not open yet, and makes room for the workers. It does I/O. On an error
// nothing is open that was not before; what grew stays so, and is used when its pool grows.
func (h *house) furnish(sockets Sockets, d *plan.Desired) ([]Listener, error) {
	slots := map[string]int{}
	for i := range d.Pools {
		for _, name := range d.Pools[i].Listen {
			slots[name] = max(slots[name], d.Pools[i].Spec.Workers)
		}
	}
	var wants []listener.Want
	for i := range d.Listeners {
		cfg := &d.Listeners[i]
		if l, ok := h.open[plan.KeyOf(cfg)]; ok {
			if err := l.Grow(slots[cfg.Name]); err != nil {
				return nil, err
			}
			continue
		}
		wants = append(wants, listener.Want{Config: *cfg, Slots: max(slots[cfg.Name], 1)})
	}
	if len(wants) == 0 {
		return nil, nil
	}
	opened, err := sockets.Open(wants)
	if err != nil {
		return nil, err
	}
	for i, l := range opened {
		h.open[plan.KeyOf(&wants[i].Config)] = l
	}
	return opened, nil
}

// seats are the listeners of a pool under the names that it knows them by.
func (h *house) seats(d *plan.Desired, pool *plan.Pool) ([]seat, error) {
	var seats []seat
	for _, name := range pool.Listen {
		cfg := d.Listener(name)
		if cfg == nil {
			return nil, fmt.Errorf("cannot run pool %s: there is no listener %q", pool.Name, name)
		}
		seats = append(seats, seat{Listener: h.open[plan.KeyOf(cfg)], name: name})
	}
	return seats, nil
}

// adjust brings open listeners to what a description says of them. On an error what was done is taken back.
func (h *house) adjust(from, to *plan.Desired) error {
	for i := range to.Listeners {
		cfg := &to.Listeners[i]
		l, ok := h.open[plan.KeyOf(cfg)]
		if !ok || !known(from, cfg) {
			continue
		}
		if err := l.Adjust(*cfg); err != nil {
			h.readjust(from)
			return fmt.Errorf("cannot change listener %s: %w", cfg.Name, err)
		}
	}
	return nil
}

// readjust puts back what a description says of listeners that were changed.
func (h *house) readjust(to *plan.Desired) {
	for i := range to.Listeners {
		if l, ok := h.open[plan.KeyOf(&to.Listeners[i])]; ok {
			_ = l.Adjust(to.Listeners[i]) // it was so before
		}
	}
}

// known reports whether a description has a listener in another form: only then there is something to change.
func known(d *plan.Desired, cfg *listener.Config) bool {
	for i := range d.Listeners {
		if plan.KeyOf(&d.Listeners[i]) == plan.KeyOf(cfg) {
			return d.Listeners[i] != *cfg
		}
	}
	return false
}

// clear closes what a description does not have.
func (h *house) clear(keep *plan.Desired, failed func(Listener, error)) {
	kept := map[plan.Key]bool{}
	for i := range keep.Listeners {
		kept[plan.KeyOf(&keep.Listeners[i])] = true
	}
	for key, l := range h.open {
		if kept[key] {
			continue
		}
		delete(h.open, key)
		delete(h.paused, l)
		if err := l.Close(); err != nil {
			failed(l, err)
		}
	}
}

// resumeAll lets the listeners of a description take connections again.
func (h *house) resumeAll(d *plan.Desired, failed func(Listener, error)) {
	for i := range d.Listeners {
		l := h.open[plan.KeyOf(&d.Listeners[i])]
		if l != nil {
			h.resume(l, func(_ string, err error) { failed(l, err) })
		}
	}
}

func (h *house) pause(l Listener, failed func(string, error)) {
	if h.paused[l] {
		return
	}
	h.paused[l] = true
	if err := l.Pause(); err != nil {
		failed("cannot pause listener", err)
	}
}

func (h *house) resume(l Listener, failed func(string, error)) {
	if !h.paused[l] {
		return
	}
	delete(h.paused, l)
	if err := l.Resume(); err != nil {
		failed("cannot resume listener", err)
	}
}
