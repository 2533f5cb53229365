package top

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/broodctl/brood/internal/text"
)

// Once makes one picture. Where CPU times are measured it takes an interval for it, so that there are shares of a CPU.
func Once(ctx context.Context, source Source, interval time.Duration) (Picture, error) {
	snap, err := source.Status(ctx)
	if err != nil {
		return Picture{}, err
	}
	at := time.Now()
	shares := meter{}.take(snap)
	if len(shares) > 0 && pause(ctx, interval) {
		if snap, err = source.Status(ctx); err != nil {
			return Picture{}, err
		}
		at = time.Now()
		shares = shares.take(snap)
	}
	return newPicture(snap, shares, at), nil
}

// Select returns the picture with what the options leave of it, in their order.
func (p Picture) Select(opt Options) Picture {
	c := choice{sort: opt.Sort, filter: opt.Filter, unhealthy: opt.Unhealthy}
	var pools []Pool
	for _, r := range c.rows(&p) {
		if r.worker == nil {
			pool := *r.pool
			pool.Workers = []Worker{}
			pools = append(pools, pool)
			continue
		}
		last := &pools[len(pools)-1]
		last.Workers = append(last.Workers, *r.worker)
	}
	p.Pools = slices.Clip(pools)
	return p
}

// WriteJSON writes a picture for programs.
func (p Picture) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(p)
}

// WriteText writes a picture with the columns of the table, nothing cut and nothing coloured.
func (p Picture) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  pid %d  up %s\n", clean(p.Name), clean(p.State), p.PID, text.Age(p.Time.Sub(p.Started)))
	if p.Why != "" {
		b.WriteString(clean(p.Why) + "\n")
	}
	all := measuredColumns(&p)
	all[0].work = func(w *Worker) string { return w.Pool + "." + strconv.Itoa(w.Slot) } // for who looks at one line alone
	cells := [][]string{cellsOf(all, func(c *column) string { return c.name })}
	for i := range p.Pools {
		pool := &p.Pools[i]
		cells = append(cells, cellsOf(all, func(c *column) string { return clean(c.pool(pool)) }))
		for j := range pool.Workers {
			worker := &pool.Workers[j]
			cells = append(cells, cellsOf(all, func(c *column) string { return clean(c.work(worker)) }))
		}
	}
	widths := make([]int, len(all))
	for _, row := range cells {
		for i, cell := range row {
			widths[i] = max(widths[i], text.Width(cell))
		}
	}
	for _, row := range cells {
		for i, cell := range row {
			if all[i].right {
				row[i] = fitRight(cell, widths[i])
			} else {
				row[i] = fit(cell, widths[i])
			}
		}
		b.WriteString(strings.TrimRight(strings.Join(row, "  "), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func cellsOf(all []column, of func(c *column) string) []string {
	cells := make([]string, len(all))
	for i := range all {
		cells[i] = of(&all[i])
	}
	return cells
}
