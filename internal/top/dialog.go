package top

import (
	"fmt"
	"strconv"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/supervisor"
)

// dialog is a question before something is asked of the supervisor.
type dialog struct {
	ask     Ask
	follows string // what the consequence is
	danger  bool

	counting bool   // first the number of workers is typed
	digits   string // of it
	pool     string
	from     int
}

// act begins what a key asks for, of the pool or the worker that is chosen.
func (m Model) act(key string) (Model, bool) {
	pool, worker := m.chosen()
	if pool == nil {
		return m, false
	}
	switch key {
	case "r":
		m.dialog = rollDialog(pool)
	case "A":
		if pool.State != "rolling" {
			m.notice = notice{tone: warn, text: "no rollout of pool " + pool.Name + " is under way"}
			return m, true
		}
		m.dialog = abortDialog(pool)
	case "R":
		if worker == nil {
			m.notice = notice{tone: warn, text: "choose a worker to restart; r replaces all of the pool"}
			return m, true
		}
		m.dialog = restartDialog(worker)
	case "s":
		m.dialog = &dialog{counting: true, pool: pool.Name, from: pool.Desired}
	case "+", "=":
		m.dialog = scaleDialog(pool.Name, pool.Desired, pool.Desired+1)
	case "-":
		if pool.Desired <= 1 {
			m.notice = notice{tone: warn, text: "a pool has at least one worker; S stops it"}
			return m, true
		}
		m.dialog = scaleDialog(pool.Name, pool.Desired, pool.Desired-1)
	case "S":
		m.dialog = stopDialog(pool)
	case "X":
		m.dialog = endDialog(&m.picture)
	default:
		return m, false
	}
	if !m.lost.IsZero() {
		m.dialog = nil
		m.notice = notice{tone: bad, text: "the supervisor does not answer"}
	}
	return m.settle(), true
}

// chosen is what the cursor is on, or the worker whose page is open.
func (m Model) chosen() (*Pool, *Worker) {
	if m.screen == onWorker {
		for i := range m.picture.Pools {
			if p := &m.picture.Pools[i]; p.Name == m.detail.worker.Pool {
				return p, &m.detail.worker
			}
		}
		return nil, nil
	}
	if r, ok := m.current(); ok {
		return r.pool, r.worker
	}
	return nil, nil
}

func rollDialog(p *Pool) *dialog {
	return &dialog{
		ask:     Ask{Verb: supervisor.Roll, Body: control.Body{Pool: p.Name}, What: "roll " + p.Name},
		follows: fmt.Sprintf("Roll pool %s: each of its %s is replaced by a new process, which must be ready first. No connection is lost. If a new one fails, the old ones serve on.", p.Name, count(p.Desired, "worker")),
	}
}

func abortDialog(p *Pool) *dialog {
	return &dialog{
		ask: Ask{Verb: supervisor.Roll, Body: control.Body{Pool: p.Name, Abort: true}, What: "abort the rollout of " + p.Name}, danger: true,
		follows: fmt.Sprintf("Abort the rollout of pool %s: the new workers leave, and those of the previous generation serve, as if a new one had failed.", p.Name),
	}
}

func restartDialog(w *Worker) *dialog {
	name := w.Pool + "." + strconv.Itoa(w.Slot)
	return &dialog{
		ask:     Ask{Verb: supervisor.Restart, Body: control.Body{Pool: w.Pool, Slot: new(w.Slot)}, What: "restart " + name},
		follows: fmt.Sprintf("Restart slot %d of pool %s: process %s is replaced by a new one, which must be ready first. The other workers stay.", w.Slot, w.Pool, positive(w.PID)),
	}
}

func scaleDialog(pool string, from, to int) *dialog {
	d := &dialog{ask: Ask{Verb: supervisor.Scale, Body: control.Body{Pool: pool, Workers: to}, What: fmt.Sprintf("scale %s to %d", pool, to)}}
	switch {
	case to > from:
		d.follows = fmt.Sprintf("Scale pool %s from %d to %d: %s more %s started.", pool, from, to, count(to-from, "worker"), are(to-from))
	case to < from:
		d.danger = true
		d.follows = fmt.Sprintf("Scale pool %s from %d to %d: %s %s told to leave, and may finish what is in hand.", pool, from, to, count(from-to, "worker"), are(from-to))
	default:
		d.follows = fmt.Sprintf("Scale pool %s to %d: it has so many already.", pool, to)
	}
	return d
}

func stopDialog(p *Pool) *dialog {
	return &dialog{
		ask: Ask{Verb: supervisor.Stop, Body: control.Body{Pool: p.Name}, What: "stop " + p.Name}, danger: true,
		follows: fmt.Sprintf("Stop pool %s: all of its workers (%d) are told to leave, and NOTHING serves in their place until the supervisor is started anew.", p.Name, len(p.Workers)),
	}
}

func endDialog(p *Picture) *dialog {
	workers := 0
	for i := range p.Pools {
		workers += len(p.Pools[i].Workers)
	}
	return &dialog{
		ask: Ask{Verb: supervisor.Stop, What: "stop " + p.Name}, danger: true,
		follows: fmt.Sprintf("Stop the supervisor %s (process %d): all workers of all pools (%d) are told to leave, it ends, and NOTHING serves any more.", p.Name, p.PID, workers),
	}
}

func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return strconv.Itoa(n) + " " + of + "s"
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// mostWorkers is more than anybody means.
const mostWorkers = 99_999

func (m Model) pressDialog(key, text string) (Model, []Effect) {
	d := *m.dialog
	switch {
	case d.counting && key == "enter":
		to, err := strconv.Atoi(d.digits)
		m.dialog = scaleDialog(d.pool, d.from, to)
		if err != nil || to < 1 || to > mostWorkers {
			m.dialog = nil
			m.notice = notice{tone: warn, text: "no number of workers: " + strconv.Quote(d.digits)}
		}
	case d.counting && key == "backspace":
		d.digits = d.digits[:max(0, len(d.digits)-1)]
		m.dialog = &d
	case d.counting && len(text) == 1 && text[0] >= '0' && text[0] <= '9':
		if len(d.digits) < len("99999") {
			d.digits += text
		}
		m.dialog = &d
	case d.counting && key != "esc":
		return m, nil // nothing that could be meant as a number
	case !d.counting && key == "y":
		m.dialog = nil
		m.notice = notice{tone: warn, text: d.ask.What + ": asked for, the table shows how it goes"}
		return m.settle(), []Effect{d.ask}
	default:
		m.dialog = nil
		m.notice = notice{text: "nothing was done"}
	}
	return m.settle(), nil
}

// lines is the question as it stands at the bottom.
func (d *dialog) lines(width int) []line {
	if d.counting {
		return []line{words(title, fmt.Sprintf("How many workers for pool %s? It is to have %d now.", d.pool, d.from)), words(title, "Enter goes on, Esc leaves it:  "+d.digits+"_")}
	}
	t := warn
	if d.danger {
		t = bad
	}
	var all []line
	for _, part := range text.Wrap(clean(d.follows), width) {
		all = append(all, words(t, part))
	}
	return append(all, words(title, "Type y to do it. Any other key leaves everything as it is."))
}
