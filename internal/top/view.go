package top

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/broodctl/brood/internal/text"
)

// View is the screen, with as many lines as the terminal has, and none wider.
func (m Model) View() string {
	if m.width <= 0 || m.height <= 0 {
		return ""
	}
	var all []line
	switch m.screen {
	case onHelp:
		all = m.helpLines()
	case onWorker:
		all = m.workerLines()
	case onList:
		all = m.listLines()
	}
	bottom := m.bottom()
	if room := max(0, m.height-len(bottom)); len(all) > room {
		all = all[:room]
	} else {
		all = append(all, make([]line, room-len(all))...)
	}
	all = append(all, bottom...)
	drawn := make([]string, m.height)
	for i, l := range all[:m.height] {
		drawn[i] = m.palette.draw(l.cut(m.width))
	}
	return strings.Join(drawn, "\n")
}

// room is how many rows of the table there is place for.
func (m Model) room() int { return max(1, m.height-len(m.above())-len(m.bottom())) }

// listLines is the table.
func (m Model) listLines() []line {
	all, lay := m.above(), m.layout()
	if len(m.rows) == 0 {
		return append(all, m.emptyLine())
	}
	for i := m.offset; i < min(len(m.rows), m.offset+m.room()); i++ {
		r := m.rows[i]
		l := m.rowLine(lay, r)
		if r.place() == m.cursor {
			l = l.over(chosen, m.width)
		}
		all = append(all, l)
	}
	return all
}

// above is what stands above the rows: the supervisor, what is wrong with it, and the head of the table.
func (m Model) above() []line {
	all := append([]line{m.nameLine(), m.sumLine()}, m.noteLines(bad, m.picture.Why)...)
	return append(all, m.headLine(m.layout()))
}

func (m Model) layout() layout { return newLayout(&m.picture, m.width, m.choice.sort) }

func (m Model) emptyLine() line {
	switch {
	case !m.known && m.lost.IsZero():
		return words(faint, "asking the supervisor ...")
	case !m.known:
		return line{}
	case m.choice.filter != "" || m.choice.unhealthy:
		return words(good, "nothing to be seen to: no worker fits the filter; Esc shows all")
	}
	return words(faint, "there are no pools")
}

// nameLine says which supervisor this is, how it does, and whether what is shown is still true.
func (m Model) nameLine() line {
	p := &m.picture
	l := words(title, "brood top")
	if m.known {
		l = l.say(plain, "  ").say(title, p.Name).say(plain, "  ").say(stateTone(p.State), p.State).
			say(plain, fmt.Sprintf("  pid %d  up %s", p.PID, text.Age(p.Time.Sub(p.Started))))
	}
	if !m.lost.IsZero() {
		gone := words(bad, fmt.Sprintf("NO ANSWER for %s: %s; trying again", text.Age(p.Time.Sub(m.lost).Truncate(time.Second)), m.why))
		if !m.known {
			return append(l.say(plain, "  "), gone...)
		}
		return append(words(title, p.Name+"  "), gone...)
	}
	if p.Time.IsZero() {
		return l
	}
	at := p.Time.Format(clock)
	return l.say(plain, strings.Repeat(" ", max(2, m.width-l.width()-len(at)))).say(faint, at)
}

// sumLine adds up all pools, and says which of them are shown.
func (m Model) sumLine() line {
	p := &m.picture
	var all Figures
	ready, desired, restarts := 0, 0, 0
	for i := range p.Pools {
		all.add(p.Pools[i].Figures)
		ready += p.Pools[i].Ready
		desired += p.Pools[i].Desired
		restarts += p.Pools[i].Restarts
	}
	summary := fmt.Sprintf("%s, %d/%d ready", count(len(p.Pools), "pool"), ready, desired)
	if all.Queue != nil {
		summary += "  queue " + strconv.FormatUint(*all.Queue, 10)
	}
	if all.CPU != nil {
		summary += "  cpu " + percentWords(all.CPU) + "%"
	}
	if all.Memory != nil {
		summary += "  memory " + text.Size(*all.Memory)
	}
	summary += "  restarts " + strconv.Itoa(restarts)
	var l line
	if m.choice.unhealthy {
		l = l.say(warn, "only the unhealthy").say(plain, "  ")
	}
	if m.choice.filter != "" && !m.typing {
		l = l.say(warn, "filter: "+m.choice.filter).say(plain, "  ")
	}
	return l.say(plain, summary)
}

// headLine is the head of the table. The column that it is sorted by has a sign.
func (m Model) headLine(lay layout) line {
	var text strings.Builder
	for i := range lay {
		c := &lay[i]
		name := cmp.Or(c.short, c.name)
		if strings.EqualFold(c.name, m.choice.sort) {
			sign := "^"
			if m.choice.descending(c) {
				sign = "v"
			}
			name = name[:min(len(name), c.width-len(sign))] + sign
		}
		text.WriteString(c.cell(name) + gap)
	}
	return words(head, fit(text.String(), m.width))
}

func (m Model) rowLine(lay layout, r row) line {
	var l line
	for i := range lay {
		c := &lay[i]
		t := plain
		if r.worker == nil {
			l = l.say(poolTone(c, r.pool), m.poolCell(c, r.pool)).say(plain, gap)
			continue
		}
		switch {
		case c.name == stateColumn:
			t = stateTone(r.worker.State)
		case i == len(lay)-1:
			t = noteTone(r.worker)
		}
		l = l.say(t, c.cell(c.work(r.worker))).say(plain, gap)
	}
	return l
}

func (m Model) poolCell(c *column, p *Pool) string {
	text := c.pool(p)
	if c.name != nameColumn {
		return c.cell(text)
	}
	mark := unfolded
	if m.choice.folded[p.Name] {
		mark = folded
	}
	return mark + fit(clean(text), c.width-len(mark))
}

func poolTone(c *column, p *Pool) tone {
	switch {
	case c.name == nameColumn:
		return title
	case c.name == stateColumn:
		return stateTone(p.State)
	case c.name == "READY" && p.missing() > 0:
		return bad
	case c.width > 0 && !c.right && p.Why != "":
		return bad
	}
	return plain
}

// stateTone is how a state of a worker, a pool or a supervisor looks.
func stateTone(state string) tone {
	switch state {
	case "ready", "finished":
		return good
	case "starting", "proving", "rolling", "preparing":
		return warn
	case "settling", "retiring", "draining":
		return faint
	case "unready", "failing", "tracing", "killed", "reaping", "waiting", "degraded", "reverting", "stopping", "exited":
		return bad
	}
	return plain
}
