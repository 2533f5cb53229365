package top

import "fmt"

// helpRows are the keys and what they do.
func helpRows() [][2]string {
	return [][2]string{
		{"up down PgUp PgDn", "move; Home, End: to the ends"},
		{"Enter", "open a worker; fold a pool"},
		{"Space c", "fold a pool; all pools"},
		{"Tab 1-6", "in a worker: the next page, that page"},
		{"Esc", "back; in the table: no filter"},
		{"< >", "sort by the column to the left, right"},
		{"o", "the other order"},
		{"/", "filter by name, state, pid, reason"},
		{"u", "only what needs to be looked at"},
		{"r", "roll: replace all workers of the pool"},
		{"A", "abort the pool's rollout: go back"},
		{"R", "restart: replace the slot's worker"},
		{"s + -", "scale the pool: to a number, by one"},
		{"S", "stop the pool"},
		{"X", "stop the supervisor with all pools"},
		{"q Ctrl-C", "leave; what was asked for goes on"},
		{"", ""},
		{"", "r A R s + - S X say what follows first,"},
		{"", "and wait for a y."},
		{"", "CPU% is of one CPU."},
	}
}

// helpLines is the page of the keys, as much of it as there is room for.
func (m Model) helpLines() []line {
	all := []line{words(head, fit("Keys", m.width))}
	rows := helpRows()
	room := max(1, m.height-2)
	first := max(0, min(m.help, len(rows)-room))
	for _, r := range rows[first:min(len(rows), first+room)] {
		all = append(all, words(title, fmt.Sprintf(" %-18s", r[0])).say(plain, r[1]))
	}
	return all
}

func (m Model) pressHelp(key string) Model {
	most := max(0, len(helpRows())-max(1, m.height-2))
	switch key {
	case "up", "k":
		m.help = max(0, m.help-1)
	case "down", "j":
		m.help = min(most, m.help+1)
	case "pgdown", "end":
		m.help = most
	case "pgup", "home":
		m.help = 0
	default:
		m.screen = m.below
		return m.settle()
	}
	return m
}
