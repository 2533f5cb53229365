package top

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/broodctl/brood/internal/text"
)

// column is one column of the table. Which of them are shown depends on what was measured, and on the room.
type column struct {
	name  string // in the head, and of --sort
	short string // in the head, where room is dear
	width int    // 0 takes what is left; the first one grows with the names
	right bool
	drop  int // who is left out first where there is no room: the highest; 0 stays
	pool  func(p *Pool) string
	work  func(w *Worker) string
	// poolOrder and workOrder compare two rows for sorting. Nil cannot be sorted by.
	poolOrder func(a, b *Pool) int
	workOrder func(a, b *Worker) int
	large     bool // the largest first
	measured  func(f *Figures) bool
}

// The least and the most that the names of pools get.
const (
	leastName = 8
	mostName  = 24
)

const nameColumn, stateColumn = "NAME", "STATE"

// allColumns lists them from left to right.
func allColumns() []column {
	return []column{
		{
			name: nameColumn,
			pool: func(p *Pool) string { return p.Name }, work: func(w *Worker) string { return "  " + strconv.Itoa(w.Slot) },
			poolOrder: func(a, b *Pool) int { return 0 }, // as they stand in the file
			workOrder: func(a, b *Worker) int { return 0 },
		},
		{
			name: "PID", width: 7, right: true, drop: 5,
			pool: func(*Pool) string { return "" }, work: func(w *Worker) string { return positive(w.PID) },
			poolOrder: func(a, b *Pool) int { return 0 },
			workOrder: func(a, b *Worker) int { return cmp.Compare(a.PID, b.PID) },
		},
		{
			name: stateColumn, width: 9,
			pool: func(p *Pool) string { return p.State }, work: func(w *Worker) string { return w.State },
			poolOrder: func(a, b *Pool) int { return cmp.Compare(a.State, b.State) },
			workOrder: func(a, b *Worker) int { return cmp.Compare(a.State, b.State) },
		},
		{
			name: "READY", width: 5, right: true,
			pool:      func(p *Pool) string { return fmt.Sprintf("%d/%d", p.Ready, p.Desired) },
			work:      func(w *Worker) string { return yes(w.Ready) },
			poolOrder: func(a, b *Pool) int { return cmp.Compare(b.missing(), a.missing()) },
			workOrder: func(a, b *Worker) int { return cmp.Compare(yes(a.Ready), yes(b.Ready)) },
		},
		countColumn("QUEUE", 0, func(f *Figures) *uint64 { return f.Queue }, func(n uint64) string { return strconv.FormatUint(n, 10) }),
		{
			name: "CPU%", width: 6, right: true, large: true, drop: 1,
			pool:      func(p *Pool) string { return percentWords(p.CPU) },
			work:      func(w *Worker) string { return percentWords(w.CPU) },
			poolOrder: func(a, b *Pool) int { return compare(a.CPU, b.CPU) },
			workOrder: func(a, b *Worker) int { return compare(a.CPU, b.CPU) },
			measured:  func(f *Figures) bool { return f.CPU != nil },
		},
		countColumn("MEM", 2, func(f *Figures) *uint64 { return f.Memory }, text.Size),
		countColumn("FDS", 7, func(f *Figures) *uint64 { return f.Files }, func(n uint64) string { return strconv.FormatUint(n, 10) }),
		countColumn("CONN", 6, func(f *Figures) *uint64 { return f.Connections }, func(n uint64) string { return strconv.FormatUint(n, 10) }),
		{
			name: "RESTARTS", short: "RST", width: 4, right: true, large: true, drop: 3,
			pool: func(p *Pool) string { return strconv.Itoa(p.Restarts) }, work: func(w *Worker) string { return strconv.Itoa(w.Restarts) },
			poolOrder: func(a, b *Pool) int { return cmp.Compare(a.Restarts, b.Restarts) },
			workOrder: func(a, b *Worker) int { return cmp.Compare(a.Restarts, b.Restarts) },
		},
		{
			name: "AGE", width: 6, right: true, large: true, drop: 4,
			pool: func(*Pool) string { return "" }, work: age,
			poolOrder: func(a, b *Pool) int { return 0 },
			workOrder: func(a, b *Worker) int { return cmp.Compare(a.Age, b.Age) },
		},
		{
			name: "GEN", width: 4, right: true, large: true, drop: 8,
			pool: func(*Pool) string { return "" }, work: func(w *Worker) string { return strconv.FormatUint(w.Generation, 10) },
			poolOrder: func(a, b *Pool) int { return 0 },
			workOrder: func(a, b *Worker) int { return cmp.Compare(a.Generation, b.Generation) },
		},
		{name: "WHY NOT READY, LAST EXIT", short: "REASON, LAST EXIT", pool: func(p *Pool) string { return p.Why }, work: note},
	}
}

// countColumn is one of a figure that is a number.
func countColumn(name string, drop int, of func(f *Figures) *uint64, words func(n uint64) string) column {
	text := func(f *Figures) string {
		if n := of(f); n != nil {
			return words(*n)
		}
		return "-"
	}
	return column{
		name: name, width: 5, right: true, large: true, drop: drop,
		pool: func(p *Pool) string { return text(&p.Figures) }, work: func(w *Worker) string { return text(&w.Figures) },
		poolOrder: func(a, b *Pool) int { return compare(of(&a.Figures), of(&b.Figures)) },
		workOrder: func(a, b *Worker) int { return compare(of(&a.Figures), of(&b.Figures)) },
		measured:  func(f *Figures) bool { return of(f) != nil },
	}
}

// compare puts what is not known before everything.
func compare[N uint64 | float64](a, b *N) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return cmp.Compare(*a, *b)
}

func positive(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

func percentWords(share *float64) string {
	if share == nil {
		return "-"
	}
	return strconv.FormatFloat(*share, 'f', 1, 64)
}

func age(w *Worker) string {
	if w.PID == 0 {
		return "-"
	}
	return text.Age(time.Duration(w.Age * float64(time.Second)))
}

// note is what is worth knowing of a worker, the worst first.
func note(w *Worker) string {
	switch {
	case w.Why != "" && w.LastExit != "":
		return w.Why + "; last: " + w.LastExit
	case w.Why != "":
		return w.Why
	case w.LastExit != "":
		return "last: " + w.LastExit
	}
	return w.Status
}

// measuredColumns are those that there is anything to show in.
func measuredColumns(p *Picture) []column {
	var kept []column
	for _, c := range allColumns() {
		if c.measured == nil || anyPool(p, c.measured) {
			kept = append(kept, c)
		}
	}
	return kept
}

func anyPool(p *Picture, measured func(f *Figures) bool) bool {
	for i := range p.Pools {
		if measured(&p.Pools[i].Figures) {
			return true
		}
	}
	return false
}
