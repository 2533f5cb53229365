package top

import (
	"maps"
	"slices"
	"strings"
)

// press is one key: its name, and what it writes.
func (m Model) press(key, text string) (Model, []Effect) {
	switch {
	case key == "ctrl+c":
		return m, []Effect{Quit{}}
	case key == "ctrl+z":
		return m, []Effect{Suspend{}}
	case m.dialog != nil:
		return m.pressDialog(key, text)
	case m.typing:
		return m.pressFilter(key, text), nil
	}
	m.notice = notice{}
	switch {
	case key == "q":
		return m, []Effect{Quit{}}
	case key == "?" && m.screen != onHelp:
		m.below, m.screen, m.help = m.screen, onHelp, 0
		return m, nil
	case m.screen == onHelp:
		return m.pressHelp(key), nil
	}
	if asked, ok := m.act(key); ok {
		return asked, nil
	}
	if m.screen == onWorker {
		return m.pressWorker(key)
	}
	return m.pressList(key)
}

func (m Model) pressList(key string) (Model, []Effect) {
	page := max(1, m.room()-1)
	switch key {
	case "up", "k":
		return m.move(-1), nil
	case "down", "j":
		return m.move(1), nil
	case "pgup", "ctrl+b":
		return m.move(-page), nil
	case "pgdown", "ctrl+f":
		return m.move(page), nil
	case "home", "g":
		return m.move(-len(m.rows)), nil
	case "end", "G":
		return m.move(len(m.rows)), nil
	case "enter":
		return m.open()
	case "space", "left", "right", "h", "l":
		return m.fold(key), nil
	case "c":
		return m.foldAll(), nil
	case "<", ">":
		return m.sortBy(key), nil
	case "o":
		m.choice.reverse = !m.choice.reverse
	case "u":
		m.choice.unhealthy = !m.choice.unhealthy
	case "/":
		m.typing = true
	case "esc":
		m.choice.filter, m.choice.unhealthy = "", false
	}
	return m.settle(), nil
}

// open goes into a worker, and shows or hides those of a pool.
func (m Model) open() (Model, []Effect) {
	r, ok := m.current()
	switch {
	case !ok:
		return m, nil
	case r.worker == nil:
		return m.fold("space"), nil
	}
	m.screen = onWorker
	m.detail = detailView{worker: *r.worker}
	return m.look()
}

// fold hides the workers of the pool of the cursor, or shows them.
func (m Model) fold(key string) Model {
	r, ok := m.current()
	if !ok {
		return m
	}
	name := r.pool.Name
	hide := !m.choice.folded[name]
	switch key {
	case "left", "h":
		hide = true
	case "right", "l":
		hide = false
	}
	m.choice.folded = maps.Clone(m.choice.folded)
	m.choice.folded[name] = hide
	if hide {
		m.cursor = place{pool: name, slot: -1}
	}
	return m.settle()
}

// foldAll hides the workers of all pools, or shows them if all are hidden.
func (m Model) foldAll() Model {
	all := map[string]bool{}
	some := false
	for i := range m.picture.Pools {
		name := m.picture.Pools[i].Name
		all[name] = true
		some = some || !m.choice.folded[name]
	}
	if !some {
		all = map[string]bool{}
	}
	m.choice.folded = all
	if m.cursor.slot >= 0 && some {
		m.cursor = place{pool: m.cursor.pool, slot: -1}
	}
	return m.settle()
}

// sortBy goes to the column at the left or at the right of the one that the table is sorted by.
func (m Model) sortBy(key string) Model {
	names := sortable(measuredColumns(&m.picture))
	at := max(0, slices.IndexFunc(names, func(name string) bool { return strings.EqualFold(name, m.choice.sort) }))
	step := 1
	if key == "<" {
		step = len(names) - 1
	}
	m.choice.sort, m.choice.reverse = names[(at+step)%len(names)], false
	return m.settle()
}

func sortable(all []column) []string {
	var names []string
	for i := range all {
		if all[i].workOrder != nil {
			names = append(names, all[i].name)
		}
	}
	return names
}

// SortNames lists the columns that the table can be sorted by.
func SortNames() []string { return sortable(allColumns()) }

func (m Model) pressFilter(key, text string) Model {
	switch key {
	case "enter":
		m.typing = false
	case "esc":
		m.typing, m.choice.filter = false, ""
	case "ctrl+u":
		m.choice.filter = ""
	case "backspace":
		runes := []rune(m.choice.filter)
		m.choice.filter = string(runes[:max(0, len(runes)-1)])
	default:
		m.choice.filter += clean(text)
	}
	return m.settle()
}

// paste takes a text from elsewhere into the filter. Nowhere else: it is no key, and must not answer a question.
func (m Model) paste(text string) Model {
	if m.typing {
		m.choice.filter += clean(strings.TrimSpace(text))
	}
	return m.settle()
}
