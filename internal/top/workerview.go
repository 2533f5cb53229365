package top

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/supervisor/events"

	"github.com/broodctl/brood/internal/text"
)

// workerLines is the page of a worker.
func (m Model) workerLines() []line {
	d := &m.detail
	body := m.pageLines()
	room := m.pageRoom()
	first := min(d.back, max(0, len(body)-room))
	if d.page.grows() {
		first = max(0, len(body)-room-d.back)
	}
	return append(m.workerHead(), body[first:]...)
}

// pageRoom is how many lines of a page there is place for.
func (m Model) pageRoom() int { return max(1, m.height-len(m.workerHead())-len(m.bottom())) }

// workerHead says of whom the page is, what it uses, what is wrong with it, and which pages there are.
func (m Model) workerHead() []line {
	d := &m.detail
	w := &d.worker
	name := words(title, fmt.Sprintf("%s slot %d", w.Pool, w.Slot)).say(plain, fmt.Sprintf("  pid %s  ", positive(w.PID)))
	if d.gone {
		name = name.say(bad, "it is gone; Esc goes back")
	} else {
		name = name.say(stateTone(w.State), w.State).say(plain, fmt.Sprintf("  generation %d  age %s  restarts %d", w.Generation, age(w), w.Restarts))
		if w.WorkerID != nil {
			name = name.say(plain, "  worker id "+strconv.Itoa(*w.WorkerID))
		}
	}
	if !m.lost.IsZero() {
		name = words(title, fmt.Sprintf("%s slot %d  ", w.Pool, w.Slot)).say(bad, "NO ANSWER from the supervisor: "+m.why)
	}
	var tabs line
	for p := range pages {
		text := fmt.Sprintf(" %d %s ", p+1, p)
		if p == d.page {
			tabs = tabs.say(chosen, text)
		} else {
			tabs = tabs.say(plain, text)
		}
	}
	all := append([]line{name, m.figuresLine(w)}, m.noteLines(noteTone(w), note(w))...)
	return append(all, tabs, line{})
}

// figuresLine is what a worker uses.
func (m Model) figuresLine(w *Worker) line {
	var l line
	for _, c := range measuredColumns(&m.picture) {
		if c.measured != nil && c.measured(&w.Figures) {
			l = l.say(plain, strings.ToLower(c.name)+" "+c.work(w)+"  ")
		}
	}
	return l
}

// pageLines are all lines of the page.
func (m Model) pageLines() []line {
	d := &m.detail
	switch {
	case !d.known && d.worker.PID == 0:
		return []line{words(faint, "there is no process: it waits for its start")}
	case !d.known:
		return []line{words(faint, "reading ...")}
	}
	switch d.page {
	case onFiles:
		return m.wrapped(filesLines(&d.detail))
	case onLimits:
		return m.wrapped(limitsLines(&d.detail))
	case onEnviron:
		return m.wrapped(environLines(&d.detail))
	case onLog:
		return m.wrapped(logLines(&d.detail))
	case onEvents:
		return m.wrapped(eventLines(&d.detail))
	case onProcesses, pages:
	}
	return processLines(&d.detail) // a tree, which one sees no more if its lines are broken
}

// refused says why something is not to be seen.
func refused(what string, err error) []line {
	if errors.Is(err, fs.ErrPermission) {
		return []line{
			words(bad, "permission denied: this user may not see "+what),
			words(faint, "root may, and so may the user whom the worker runs as, unless the worker gained rights"),
		}
	}
	return []line{words(bad, "cannot show "+what+": "+err.Error())}
}

func processLines(d *Detail) []line {
	if d.NoProcesses != nil {
		return refused("its processes", d.NoProcesses)
	}
	all := []line{words(title, fmt.Sprintf("%7s S %6s %4s %8s  %s", "PID", "MEM", "THR", "CPU TIME", "COMMAND"))}
	for _, p := range d.Processes {
		command := strings.Join(p.Command, " ")
		if command == "" {
			command = "[" + p.Name + "]"
		}
		all = append(all, words(plain, fmt.Sprintf("%7d %c %6s %4d %8s  %s%s",
			p.PID, p.State, text.Size(p.Memory), p.Threads, text.Age(p.CPU), branch(p.Depth), command)))
	}
	return all
}

// branch shows how deep in the tree a process is.
func branch(depth int) string {
	if depth == 0 {
		return ""
	}
	return strings.Repeat("  ", min(depth, 16)-1) + "`-"
}

func filesLines(d *Detail) []line {
	if d.NoFiles != nil {
		return refused("its open files", d.NoFiles)
	}
	all := []line{words(title, fmt.Sprintf("%d open in its first process", d.Files.Total))}
	for _, k := range d.Files.Kinds {
		all = append(all, words(plain, fmt.Sprintf("%7d %s", k.Count, k.Name)))
	}
	all = append(all, line{}, words(title, fmt.Sprintf("%7s %s", "FD", "WHAT")))
	for _, f := range d.Files.Open {
		all = append(all, words(plain, fmt.Sprintf("%7d %s", f.FD, f.Target)))
	}
	if more := d.Files.Total - len(d.Files.Open); more > 0 {
		all = append(all, words(faint, fmt.Sprintf("%7s %d more", "...", more)))
	}
	return all
}

func limitsLines(d *Detail) []line {
	if d.NoLimits != nil {
		return refused("its limits", d.NoLimits)
	}
	all := []line{words(title, fmt.Sprintf("%-20s %14s %14s  %s", "LIMIT", "SOFT", "HARD", "UNIT"))}
	for _, l := range d.Limits {
		all = append(all, words(plain, fmt.Sprintf("%-20s %14s %14s  %s", l.Name, l.Soft, l.Hard, l.Unit)))
	}
	return all
}

func environLines(d *Detail) []line {
	if d.NoEnviron != nil {
		return refused("its environment", d.NoEnviron)
	}
	all := []line{words(title, strconv.Itoa(len(d.Environ))+" variables as it was started; secrets are hidden")}
	for _, v := range d.Environ {
		l := words(plain, v.Name+"=")
		if v.Hidden {
			l = l.say(faint, "(hidden)")
		} else {
			l = l.say(plain, v.Value)
		}
		all = append(all, l)
	}
	return all
}

func logLines(d *Detail) []line {
	switch {
	case d.NoLog != nil:
		return refused("its log", d.NoLog)
	case len(d.Log) == 0:
		return []line{words(faint, "it has written nothing that is kept")}
	}
	all := make([]line, len(d.Log))
	for i, l := range d.Log {
		all[i] = words(faint, l.Time.Format(clock)+" ")
		if l.Stream == "stderr" {
			all[i] = all[i].say(warn, "! ")
		} else {
			all[i] = all[i].say(plain, "  ")
		}
		all[i] = all[i].say(plain, l.Text)
	}
	return all
}

// clock is how times of day are written.
const clock = "15:04:05"

func eventLines(d *Detail) []line {
	switch {
	case d.NoEvents != nil:
		return refused("its events", d.NoEvents)
	case len(d.Events) == 0:
		return []line{words(faint, "nothing happened that is kept")}
	}
	all := make([]line, len(d.Events))
	for i := range d.Events {
		e := &d.Events[i]
		t := plain
		if e.Kind == events.Death {
			t = bad
		}
		all[i] = words(faint, e.Time.Format(clock)+" ").say(t, eventWords(e))
	}
	return all
}

// eventWords is an event in a line.
func eventWords(e *control.Event) string {
	parts := []string{string(e.Kind)}
	if e.PID != 0 {
		parts[0] += " " + strconv.Itoa(e.PID)
	}
	if e.Missed > 0 {
		parts = append(parts, strconv.FormatUint(e.Missed, 10)+" are not kept any more")
	}
	if e.Kind == events.Scale {
		parts = append(parts, fmt.Sprintf("%d -> %d workers", e.Before, e.Workers))
	}
	if e.Kind == events.Rollout {
		parts = append(parts, fmt.Sprintf("generation %d", e.Generation))
	}
	for _, part := range []string{e.State, e.Cause, e.Exit, e.Detail, e.Reason, e.Next, e.Verb, e.Signal} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "  ")
}
