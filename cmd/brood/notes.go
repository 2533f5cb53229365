package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/machine"
)

// mostNotes is how many different things are said below a table, each about one slot or many.
const mostNotes = 8

// note is the same thing about some slots.
type note struct {
	slots []int
	about string
}

// printNotes says why workers do not serve. With deaths it also says what has no room in the table: how they ended, and what
// they say of themselves.
func printNotes(w io.Writer, p *supervisor.PoolView, deaths bool, width int) {
	var notes []note
	say := func(slot int, about string) { notes = addNote(notes, slot, about) }
	for i := range p.Workers {
		if why := whyNot(&p.Workers[i]); why != "" {
			say(p.Workers[i].Slot, why)
		}
	}
	for i := range p.Workers {
		v := &p.Workers[i]
		if deaths && strings.Contains(v.LastExit, ":") {
			say(v.Slot, "last exit: "+v.LastExit)
		}
		if deaths && v.Status != "" {
			say(v.Slot, "said: "+v.Status)
		}
	}
	for i, n := range notes {
		if left := len(notes) - i; i == mostNotes && left > 1 {
			printNote(w, fmt.Sprintf("... and %d more; --output json has all of it", left), width)
			return
		}
		printNote(w, n.subject()+": "+n.about, width)
	}
}

// addNote adds what is to be said about a slot, where it has not been said.
func addNote(notes []note, slot int, about string) []note {
	at := slices.IndexFunc(notes, func(n note) bool { return n.about == about })
	if at < 0 {
		notes = append(notes, note{about: about})
		at = len(notes) - 1
	}
	if !slices.Contains(notes[at].slots, slot) {
		notes[at].slots = append(notes[at].slots, slot)
	}
	return notes
}

// slowStart is how long a worker may start without a word about it.
const slowStart = 5 * time.Second

// whyNot says why a worker does not serve, if that is known or strange.
func whyNot(v *supervisor.WorkerView) string {
	switch {
	case v.Health != "":
		return v.State + ": " + v.Health
	case v.State == machine.Starting.String() && v.Age > slowStart.Seconds():
		return v.State + ": nothing has shown yet that it is ready"
	}
	return ""
}

// subject is slot 3, or slots 0-2 5.
func (n note) subject() string {
	if len(n.slots) == 1 {
		return "slot " + strconv.Itoa(n.slots[0])
	}
	var ranges []string
	for i := 0; i < len(n.slots); {
		j := i
		for j+1 < len(n.slots) && n.slots[j+1] == n.slots[j]+1 {
			j++
		}
		word := strconv.Itoa(n.slots[i])
		if j > i {
			word += "-" + strconv.Itoa(n.slots[j])
		}
		ranges = append(ranges, word)
		i = j + 1
	}
	return "slots " + strings.Join(ranges, " ")
}
