package top

import (
	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/top/inspect"
)

// Detail is what there is to know of a worker, beside what is in the table.
type Detail struct {
	inspect.Report
	Log      []control.LogLine // the last of its output, the oldest first
	NoLog    error
	Events   []control.Event // of its slot and its pool, the oldest first
	NoEvents error
}

// page is one part of what there is to know of a worker.
type page uint8

const (
	onProcesses page = iota
	onFiles
	onLimits
	onEnviron
	onLog
	onEvents
	pages
)

// String is the page's name.
func (p page) String() string {
	return [...]string{"processes", "files", "limits", "environment", "log", "events"}[p]
}

// detailView is the page of a worker, and of the one that takes its place in the slot when it is gone.
type detailView struct {
	worker Worker // as of the latest picture that it was in
	gone   bool   // nobody has its slot in the latest
	known  bool   // detail was read
	busy   bool   // it is being read
	detail Detail
	page   page
	back   int // lines that the page was scrolled: from its beginning, or from the end of those that grow there
}

// grows reports whether the news of a page are at its end.
func (p page) grows() bool { return p == onLog || p == onEvents }

// look reads the worker again whose page is open, unless this is under way.
func (m Model) look() (Model, []Effect) {
	if m.screen != onWorker {
		return m, nil
	}
	d := &m.detail
	w, ok := m.picture.occupant(&d.worker)
	if d.gone = !ok; ok {
		if !w.is(&d.worker) {
			d.known, d.busy = false, false // what is being read is of the one that is gone
		}
		d.worker = w
	}
	if d.gone || d.busy {
		return m, nil
	}
	d.busy = true
	return m, []Effect{Look{Worker: d.worker, Parent: m.picture.PID}}
}

// see takes what was read, if it is of the worker whose page is open.
func (m Model) see(msg Seen) Model {
	d := &m.detail
	if !msg.Worker.is(&d.worker) {
		return m
	}
	before := d.detail
	d.detail, d.known, d.busy = msg.Detail, true, false
	return m.stay(&before).scroll(0)
}

func (m Model) pressWorker(key string) (Model, []Effect) {
	d := &m.detail
	rows := max(1, m.pageRoom()-1)
	by := 0
	switch key {
	case "esc", "backspace":
		m.screen = onList
		return m.settle(), nil
	case "tab", "right", "l":
		d.page, d.back = (d.page+1)%pages, 0
	case "shift+tab", "left", "h":
		d.page, d.back = (d.page+pages-1)%pages, 0
	case "1", "2", "3", "4", "5", "6":
		d.page, d.back = page(key[0]-'1'), 0
	case "up", "k":
		by = -1
	case "down", "j":
		by = 1
	case "pgup", "ctrl+b":
		by = -rows
	case "pgdown", "ctrl+f", "space":
		by = rows
	case "home", "g":
		by = -len(m.pageLines())
	case "end", "G":
		by = len(m.pageLines())
	}
	return m.scroll(by), nil
}
