package progress

import (
	"fmt"
	"slices"
	"time"

	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/supervisor"
)

// frame is the picture of the latest snapshot: a line for the reload, one per pool, and below it its slots. What happens
// comes first when there is not room for all.
func (l *live) frame(width, height int, at time.Duration) []line {
	if width <= 0 || height <= 0 {
		return nil
	}
	if l.reload != nil {
		return append([]line{l.reload.cut(width)}, l.pools(width, height-1, at)...)
	}
	return l.pools(width, height, at)
}

func (l *live) pools(width, height int, at time.Duration) []line {
	if height <= 0 {
		return nil
	}
	views := make([]view, len(l.snap.Pools))
	for i := range l.snap.Pools {
		views[i] = l.view(&l.snap.Pools[i], at)
	}
	views, hiddenPools := mostMoving(views, height)
	room := height - len(views)
	if hiddenPools > 0 {
		room = 0
	}
	hidden := trim(views, room)
	lay := newLayout(views, width)
	var lines []line
	for i := range views {
		lines = append(lines, lay.head(&views[i], at).cut(width))
		for j := range views[i].rows {
			lines = append(lines, lay.row(&views[i].rows[j]).cut(width))
		}
	}
	switch {
	case hiddenPools > 0:
		lines = append(lines, more(hiddenPools, "pools").cut(width))
	case hidden > 0 && room > 0:
		lines = append(lines, more(hidden, "slots").cut(width))
	}
	return lines
}

func more(n int, of string) line {
	return line{{fmt.Sprintf("  %s %d more %s", text.Ellipsis, n, of), faint}}
}

// view is what is to be seen of a pool.
type view struct {
	pool *supervisor.PoolView
	done int
	calm bool // nothing moves
	news bool // its rollout is one of those that are waited for
	rows []row
}

// view lists the slots of a pool. Where nothing happened, only those that need attention; at the end too, for then the rest
// is well.
func (l *live) view(p *supervisor.PoolView, at time.Duration) view {
	v := view{pool: p, done: done(p), news: l.rolled[p.Name]}
	v.calm = v.done+p.StandsBy == p.Desired && !underWay(p) && p.Phase == phaseServing
	for _, s := range slots(p) {
		if s.successor == nil && (p.Phase != phaseServing || s.index < p.StandsBy) {
			continue // none is meant to be there yet, or any longer, or the leader is elsewhere
		}
		since, known := l.changed[seat{p.Name, s.index}]
		r := newRow(p, s)
		switch {
		case r.rank == rankMoving:
			if !known { // it was so before we looked, or is not told yet
				since = at
				l.changed[seat{p.Name, s.index}] = at
			}
			r.clock = clock(at - since)
			v.calm = false
		case known && at-since < lately:
			r.rank = rankLately
		}
		if r.rank == rankMoving || l.touched[p.Name] && !l.over {
			v.rows = append(v.rows, r)
		}
	}
	return v
}

// lately is how long a slot is of interest after it came to rest.
const lately = 3 * time.Second

// mostMoving leaves out pools when even their heads do not fit, calm ones first. One line is then left for how many.
func mostMoving(views []view, height int) (kept []view, hidden int) {
	if len(views) <= height {
		return views, 0
	}
	hidden = len(views) - (height - 1)
	surplus := hidden
	drop := func(is func(*view) bool) {
		for i := len(views) - 1; i >= 0 && surplus > 0; i-- {
			if is(&views[i]) {
				views = slices.Delete(views, i, i+1)
				surplus--
			}
		}
	}
	drop(func(v *view) bool { return v.calm })
	drop(func(*view) bool { return true })
	return views, hidden
}

// trim leaves out rows until they fit, with a line that tells how many.
func trim(views []view, room int) (hidden int) {
	var counts [ranks]int
	total := 0
	for i := range views {
		total += len(views[i].rows)
		for j := range views[i].rows {
			counts[views[i].rows[j].rank]++
		}
	}
	if total <= room {
		return 0
	}
	left := max(0, room-1)
	hidden = total - left
	for rank := range counts {
		counts[rank] = min(counts[rank], left)
		left -= counts[rank]
	}
	for i := range views {
		views[i].rows = slices.DeleteFunc(views[i].rows, func(r row) bool {
			counts[r.rank]--
			return counts[r.rank] < 0
		})
	}
	return hidden
}
