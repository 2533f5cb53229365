package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/machine"
)

// printWorkers writes the table of a pool's workers. What was not measured of any of them has no column. It returns whether
// the last column has all that is to be said; else it has the causes of deaths alone.
func printWorkers(w io.Writer, workers []supervisor.WorkerView, look look) (whole bool) {
	if len(workers) == 0 {
		return true
	}
	columns := workerColumns(workers)
	said, causes := column{head: "LAST EXIT"}, column{head: "LAST EXIT"}
	for i := range workers {
		said.cells = append(said.cells, lastWords(&workers[i]))
		causes.cells = append(causes.cells, causeOf(&workers[i]))
	}
	all := append(columns, said)
	rows := func(i int) string { return workerColour(&workers[i]) }
	if look.width < 1 || tableWidth(all) <= look.width {
		printTable(w, all, look, rows)
		return true
	}
	printTable(w, append(columns, causes), look, rows)
	return false
}

// workerColour is that of the row of a worker: none if it does what it is for, or leaves as it should.
func workerColour(v *supervisor.WorkerView) string {
	switch v.State {
	case machine.Starting.String():
		return colourSoon
	case machine.Waiting.String(), machine.Unready.String(), machine.Failing.String(), machine.Tracing.String(), machine.Reaping.String(),
		machine.Killed.String():
		return colourBad
	}
	return ""
}

func workerColumns(workers []supervisor.WorkerView) []column {
	slot, id, pid := column{head: "SLOT"}, column{head: "ID", drop: 6}, column{head: "PID"}
	state, generation, age, restarts := column{head: "STATE"}, column{head: "GEN", drop: 5}, column{head: "AGE", drop: 1}, column{head: "RESTARTS", drop: 7}
	for i := range workers {
		v := &workers[i]
		slot.cells = append(slot.cells, strconv.Itoa(v.Slot))
		id.cells = append(id.cells, numberOr(v.WorkerID))
		pid.cells = append(pid.cells, unlessZero(v.PID, strconv.Itoa(v.PID)))
		state.cells = append(state.cells, text.Neutral(v.State))
		generation.cells = append(generation.cells, strconv.FormatUint(v.Generation, 10))
		age.cells = append(age.cells, unlessZero(v.PID, text.Age(time.Duration(v.Age*float64(time.Second)))))
		restarts.cells = append(restarts.cells, strconv.Itoa(v.Restarts))
	}
	if differ(restarts.cells) { // so it matters who
		restarts.drop = 2
	}
	if differ(generation.cells) {
		generation.drop = 1
	}
	return append([]column{slot, id, pid, state, generation, age, restarts}, loadColumns(workers)...)
}

func differ(cells []string) bool {
	return slices.ContainsFunc(cells, func(cell string) bool { return cell != cells[0] })
}

// loadColumns are those of what is measured, without those of what was measured of nobody.
func loadColumns(workers []supervisor.WorkerView) []column {
	queue, open, served := column{head: "QUEUE"}, column{head: "CONN", drop: 3}, column{head: "SERVED", drop: 5}
	cpu, memory := column{head: "CPU", drop: 4}, column{head: "MEM"}
	add := func(to *column, known bool, word func() string) {
		cell := nothing
		if known {
			cell = word()
		}
		to.cells = append(to.cells, cell)
	}
	for i := range workers {
		v := &workers[i]
		u := v.Usage
		add(&queue, v.Queue != nil, func() string { return depthWords(v.Queue) })
		add(&open, v.Connections != nil, func() string { return strconv.FormatUint(*v.Connections, 10) })
		add(&served, v.Requests != nil, func() string { return strconv.FormatUint(*v.Requests, 10) })
		add(&cpu, u != nil, func() string { return text.Age(time.Duration(u.CPU * float64(time.Second))) })
		add(&memory, u != nil && u.Memory > 0, func() string { return text.Size(u.Memory) })
	}
	return slices.DeleteFunc([]column{queue, open, served, cpu, memory}, func(c column) bool {
		return !slices.ContainsFunc(c.cells, func(cell string) bool { return cell != nothing })
	})
}

// depthWords is how many connections wait, and of how many that can.
func depthWords(q *supervisor.QueueView) string {
	if q.Depth == 0 {
		return "0"
	}
	return fmt.Sprintf("%d/%d", q.Depth, q.Capacity)
}

const nothing = "-"

func numberOr(n *int) string {
	if n == nil {
		return nothing
	}
	return strconv.Itoa(*n)
}

// unlessZero is a word about a number, or a dash for 0.
func unlessZero(n int, word string) string {
	if n == 0 {
		return nothing
	}
	return word
}

// lastWords tells how the slot's last worker ended, and what this one says of itself.
func lastWords(v *supervisor.WorkerView) string {
	words := v.LastExit
	if words == "" {
		words = nothing
	}
	if v.Status != "" {
		words += "  (" + v.Status + ")"
	}
	return text.Neutral(words)
}

// causeOf is the cause alone, with which all that is said of a death begins.
func causeOf(v *supervisor.WorkerView) string {
	cause, _, _ := strings.Cut(v.LastExit, ":")
	if cause == "" {
		return nothing
	}
	return text.Neutral(cause)
}
