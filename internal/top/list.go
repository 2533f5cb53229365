package top

import (
	"slices"
	"strconv"
	"strings"
)

// choice is what of a picture is to be seen, and in which order.
type choice struct {
	sort      string // a column's name
	reverse   bool
	filter    string
	unhealthy bool            // only what needs somebody
	folded    map[string]bool // pools whose workers are hidden; never changed
}

// row is one line of the table: a pool, or one of its workers.
type row struct {
	pool   *Pool
	worker *Worker // nil for the pool itself
}

// place names a row across pictures.
type place struct {
	pool string
	slot int // -1 for the pool itself
	side string
}

func (r row) place() place {
	if r.worker == nil {
		return place{pool: r.pool.Name, slot: -1}
	}
	return place{pool: r.pool.Name, slot: r.worker.Slot, side: r.worker.Side}
}

// name is what people and verbs call it.
func (r row) name() string {
	if r.worker == nil {
		return r.pool.Name
	}
	return r.pool.Name + "." + strconv.Itoa(r.worker.Slot)
}

// sick reports whether there is something to see to.
func (r row) sick() bool {
	if r.worker == nil {
		return !r.pool.healthy()
	}
	return !r.worker.healthy()
}

// rows lists what is to be seen of a picture: pools in their order, and below each its workers in theirs.
func (c choice) rows(p *Picture) []row {
	var by *column
	for _, col := range allColumns() {
		if strings.EqualFold(col.name, c.sort) && col.workOrder != nil {
			by = &col
		}
	}
	pools := make([]*Pool, len(p.Pools))
	for i := range p.Pools {
		pools[i] = &p.Pools[i]
	}
	if by != nil {
		slices.SortStableFunc(pools, c.direction(by, by.poolOrder))
	}
	var rows []row
	for _, pool := range pools {
		workers := c.workers(pool)
		if len(workers) == 0 && !c.shows(pool) {
			continue
		}
		rows = append(rows, row{pool: pool})
		if c.folded[pool.Name] {
			continue
		}
		if by != nil {
			slices.SortStableFunc(workers, workerDirection(c, by))
		}
		for _, w := range workers {
			rows = append(rows, row{pool: pool, worker: w})
		}
	}
	return rows
}

func (c choice) descending(by *column) bool { return by.large != c.reverse }

func (c choice) direction(by *column, order func(a, b *Pool) int) func(a, b *Pool) int {
	if c.descending(by) {
		return func(a, b *Pool) int { return order(b, a) }
	}
	return order
}

// workerDirection orders by slots at last, so that rows do not change places for nothing.
func workerDirection(c choice, by *column) func(a, b *Worker) int {
	down := c.descending(by)
	return func(a, b *Worker) int {
		if by.name == nameColumn {
			if down {
				a, b = b, a
			}
			return bySlot(a, b)
		}
		n := by.workOrder(a, b)
		if down {
			n = -n
		}
		if n == 0 {
			return bySlot(a, b)
		}
		return n
	}
}

func bySlot(a, b *Worker) int {
	if a.Slot != b.Slot {
		return a.Slot - b.Slot
	}
	return strings.Compare(a.Side, b.Side)
}

// workers are those of a pool that are to be seen.
func (c choice) workers(p *Pool) []*Worker {
	whole := c.filter == "" || contains(p.Name, c.filter)
	var kept []*Worker
	for i := range p.Workers {
		w := &p.Workers[i]
		if (!c.unhealthy || !w.healthy()) && (whole || w.matches(c.filter)) {
			kept = append(kept, w)
		}
	}
	return kept
}

// shows reports whether a pool is to be seen without workers.
func (c choice) shows(p *Pool) bool {
	return (!c.unhealthy || !p.healthy()) && (c.filter == "" || contains(p.Name, c.filter) || contains(p.State, c.filter) || contains(p.Why, c.filter))
}

// matches reports whether a text is in what is shown of a worker.
func (w *Worker) matches(text string) bool {
	return contains(w.State, text) || contains(w.Why, text) || contains(w.LastExit, text) || contains(w.Status, text) ||
		w.PID != 0 && strings.HasPrefix(strconv.Itoa(w.PID), text) || w.Pool+"."+strconv.Itoa(w.Slot) == text || strconv.Itoa(w.Slot) == text
}

func contains(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
