package top

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"
)

// Options say how a model begins.
type Options struct {
	Colour    bool
	Sort      string // a column's name, "" is NAME: by pool and slot
	Filter    string
	Unhealthy bool
}

// screen is what fills the terminal.
type screen uint8

const (
	onList screen = iota
	onWorker
	onHelp
)

// Model is all that top knows. Its methods return changed copies.
type Model struct {
	width, height int
	palette       palette

	picture Picture
	meter   meter
	known   bool      // there was a picture
	lost    time.Time // since when the supervisor does not answer; zero if it does
	why     string    // why it does not

	choice choice
	typing bool // the filter
	rows   []row
	cursor place
	offset int // of the first row on the screen

	screen screen
	below  screen // that of the help
	help   int    // the first line of it on the screen
	detail detailView

	dialog *dialog
	notice notice
}

// notice is what is said at the bottom until a key is pressed.
type notice struct {
	tone  tone
	text  string
	lines []string
}

// New is a model without a picture, for a terminal of the usual size.
func New(opt Options) Model {
	if opt.Sort == "" {
		opt.Sort = nameColumn
	}
	return Model{
		width: 80, height: 24, palette: newPalette(opt.Colour), meter: meter{},
		choice: choice{sort: opt.Sort, filter: opt.Filter, unhealthy: opt.Unhealthy, folded: map[string]bool{}},
		cursor: place{slot: -1},
	}
}

// Update returns what a message makes of a model, and what is to be done about it.
func (m Model) Update(msg tea.Msg) (Model, []Effect) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		return m.settle(), nil
	case tea.KeyPressMsg:
		return m.press(msg.String(), msg.Text)
	case tea.PasteMsg:
		return m.paste(msg.Content), nil
	case Arrived:
		return m.arrive(msg)
	case Lost:
		return m.lose(msg), nil
	case Seen:
		return m.see(msg), nil
	case Answered:
		return m.answer(msg), nil
	}
	return m, nil
}

// arrive takes a new picture.
func (m Model) arrive(msg Arrived) (Model, []Effect) {
	if m.known && !m.lost.IsZero() {
		m.notice = notice{tone: good, text: "the supervisor answers again"}
		if msg.Snapshot.PID != m.picture.PID {
			m.notice.text = fmt.Sprintf("the supervisor is back: process %d, before it was %d", msg.Snapshot.PID, m.picture.PID)
		}
	}
	m.lost, m.why, m.known = time.Time{}, "", true
	m.meter = m.meter.take(msg.Snapshot)
	m.picture = newPicture(msg.Snapshot, m.meter, msg.At)
	m = m.settle()
	return m.look()
}

func (m Model) lose(msg Lost) Model {
	if m.lost.IsZero() {
		m.lost = msg.At
	}
	m.picture.Time = msg.At
	m.why = "it has ended"
	if msg.Err != nil {
		m.why = msg.Err.Error()
	}
	return m
}

func (m Model) answer(msg Answered) Model {
	m.notice = notice{tone: good, text: msg.What + ": " + msg.Text}
	if msg.Text == "" {
		m.notice.text = msg.What + ": done"
	}
	if msg.Err != nil {
		m.notice = notice{tone: bad, text: msg.What + ": " + msg.Err.Error(), lines: msg.Lines}
	}
	return m.settle()
}

// settle makes the rows anew, and keeps the cursor on what it was on, and on the screen.
func (m Model) settle() Model {
	was := m.index()
	m.rows = m.choice.rows(&m.picture)
	if len(m.rows) == 0 {
		m.offset = 0
		return m
	}
	at := m.index()
	if at < 0 { // it is gone: what took its place
		at = min(max(was, 0), len(m.rows)-1)
		m.cursor = m.rows[at].place()
	}
	room := m.room()
	m.offset = max(0, min(m.offset, at, len(m.rows)-room))
	if at >= m.offset+room {
		m.offset = at - room + 1
	}
	return m
}

// index is where the cursor is, -1 if what it was on is not there.
func (m Model) index() int {
	for i := range m.rows {
		if m.rows[i].place() == m.cursor {
			return i
		}
	}
	return -1
}

// current is the row of the cursor.
func (m Model) current() (row, bool) {
	if i := m.index(); i >= 0 {
		return m.rows[i], true
	}
	return row{}, false
}

// move puts the cursor so many rows further.
func (m Model) move(by int) Model {
	if len(m.rows) > 0 {
		m.cursor = m.rows[max(0, min(m.index()+by, len(m.rows)-1))].place()
	}
	return m.settle()
}
