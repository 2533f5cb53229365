package top

import (
	"strings"

	"github.com/broodctl/brood/internal/text"
)

// bottom are the last lines: a question, a filter that is typed, news, or the keys.
func (m Model) bottom() []line {
	switch {
	case m.dialog != nil:
		return m.dialog.lines(m.width)
	case m.typing:
		return []line{words(title, "filter: "+m.choice.filter+"_").say(faint, "   Enter keeps it, Esc shows all")}
	case m.notice.text != "":
		return m.noticeLines()
	case m.screen == onHelp:
		return []line{words(faint, "any other key goes back")}
	case m.screen == onWorker:
		return []line{m.keysLine("Tab page", "arrows scroll", "Esc back", "R restart", "r roll pool", "s scale pool", "? help")}
	}
	return append(m.reasonLines(), m.keysLine("? help", "/ filter", "u unhealthy", "< > sort", "Enter open", "r roll", "s scale", "q quit"))
}

// keysLine has as many of the keys as there is room for.
func (m Model) keysLine(keys ...string) line {
	said := ""
	for _, key := range keys {
		if text.Width(said)+text.Width(key) > m.width {
			break
		}
		said += key + "  "
	}
	return words(faint, strings.TrimRight(said, " "))
}

// reasonLines are what the table had to cut of the row of the cursor, or of the first one that is not well if that one has
// nothing to say.
func (m Model) reasonLines() []line {
	r, ok := m.current()
	if !ok {
		return nil
	}
	said, t := r.words()
	for i := 0; said == "" && i < len(m.rows); i++ {
		if sick := m.rows[i]; sick.sick() {
			if said, t = sick.words(); said != "" {
				return m.noteLines(t, sick.name()+": "+said)
			}
		}
	}
	lay := m.layout()
	if text.Width(clean(said)) <= lay[len(lay)-1].width {
		return nil
	}
	return m.noteLines(t, said)
}

// words are what is worth knowing of a row, and how that looks.
func (r row) words() (string, tone) {
	if r.worker == nil {
		return r.pool.Why, bad
	}
	return note(r.worker), noteTone(r.worker)
}

// noteLines are a reason over several lines, as many as the terminal can spare.
func (m Model) noteLines(t tone, said string) []line {
	if said == "" {
		return nil
	}
	var all []line
	for _, part := range text.Wrap(clean(said), m.width) {
		all = append(all, words(t, part))
	}
	return all[:min(len(all), max(1, m.height/6))]
}

// noteTone is how what is worth knowing of a worker looks.
func noteTone(w *Worker) tone {
	if w.healthy() {
		return faint
	}
	return warn
}

func (m Model) noticeLines() []line {
	n := &m.notice
	var all []line
	for _, said := range text.Wrap(clean(n.text), m.width) {
		all = append(all, words(n.tone, said))
	}
	most := max(1, m.height/2)
	all = all[:min(len(all), most)]
	for _, said := range n.lines[max(0, len(n.lines)-most):] {
		all = append(all, words(plain, "  | "+said))
	}
	return all
}
