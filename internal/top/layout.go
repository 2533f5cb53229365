package top

import (
	"slices"
	"strings"

	"github.com/broodctl/brood/internal/text"
)

// leastNote is how much of a reason must be readable before other columns have to go.
const leastNote = 20

// layout is which columns there is room for, and how wide they are.
type layout []column

// newLayout fits the columns into a width. The first takes the names, the last what is left. One stays whatever the room: that
// by which the table is sorted.
func newLayout(p *Picture, width int, kept string) layout {
	all := measuredColumns(p)
	name := leastName
	for i := range p.Pools {
		name = max(name, text.Width(clean(p.Pools[i].Name))+len(folded))
	}
	all[0].width = min(name, mostName, max(leastName, width/3))
	for {
		used := 0
		worst := -1
		for i := range all {
			used += all[i].width + len(gap)
			if all[i].drop > 0 && !strings.EqualFold(all[i].name, kept) && (worst < 0 || all[i].drop > all[worst].drop) {
				worst = i
			}
		}
		last := &all[len(all)-1]
		if last.width = width - used; last.width >= leastNote || worst < 0 {
			if last.width < 0 {
				return all[:len(all)-1]
			}
			return all
		}
		last.width = 0
		all = slices.Delete(all, worst, worst+1)
	}
}

const gap = " "

// The marks of a pool: whether its workers are shown.
const (
	folded   = "+ "
	unfolded = "- "
)

func (c *column) cell(text string) string {
	if c.right {
		return fitRight(clean(text), c.width)
	}
	return fit(clean(text), c.width)
}
