package supervisor

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"github.com/rs/zerolog"
)

// Verb is what a request asks for.
type Verb string

// The verbs.
const (
	Roll    Verb = "roll"    // replace every worker
	Reload  Verb = "reload"  // read the configuration again; without one, relay the reload signal where that is safe, else roll
	Plan    Verb = "plan"    // what a reload would do
	Scale   Verb = "scale"   // another number of workers
	Restart Verb = "restart" // replace the worker of one slot
	Signal  Verb = "signal"  // relay a signal that somebody names
	Dump    Verb = "dump"    // relay the dump signal, one worker at a time
	Stop    Verb = "stop"    // stop gracefully; may be repeated
	Kill    Verb = "kill"    // kill everything and exit with 1
	Upgrade Verb = "upgrade" // go on as another version of the program
	Pause   Verb = "pause"   // have nobody in a fleet begin a rollout
	Resume  Verb = "resume"  // undo that, and forget rollouts that failed
)

// Request is something that a person or a program wants. An empty Pool means all of them.
type Request struct {
	Verb    Verb
	Pool    string
	Workers int  // of Scale, if not 0
	Delta   int  // of Scale, else: how many more
	Abort   bool // of Roll and Reload: end the rollout at hand and go back
	// Slot is whose worker Restart replaces, and Signal means; nil is every slot, of Signal alone.
	Slot   *int
	Signal syscall.Signal // of Signal
	Force  bool           // of Signal: also if the worker dies of it
	// Program is the path of the one that Upgrade goes on as; "" is where the present one came from.
	Program string
	Fleet   string // of Pause and Resume; "" is the only one
	Reason  string // of Pause
	UID     int    // who asks, Nobody if that is not known
	PID     int    // of the process that asks; 0 for signals, over TCP, and of another pid namespace
	From    string // the address that it asks from, if that is not this machine's own socket
	Ticket  string // by which who waits for the end can ask for it again after an upgrade; see Rejoin. "" is nobody
}

// Nobody is the UID of a request that no user of this machine has made: of a signal, and of what came over TCP.
const Nobody = -1

// particulars says for people what a request has beside its verb and its place; "" is nothing.
func (r *Request) particulars() string {
	var all []string
	for _, p := range []struct {
		is   bool
		word string
	}{{r.Workers != 0, "workers " + strconv.Itoa(r.Workers)}, {r.Delta != 0, fmt.Sprintf("workers %+d", r.Delta)}, {r.Abort, "abort"}, {r.Force, "force"}, {r.Fleet != "", "fleet " + r.Fleet}, {r.Reason != "", r.Reason}} {
		if p.is {
			all = append(all, p.word)
		}
	}
	return strings.Join(all, ", ")
}

// log says what was asked for, and by whom.
func (r *Request) log(to zerolog.Logger) {
	e := to.Info().Str(keyVerb, string(r.Verb)).Str(keyPool, r.Pool)
	if r.Slot != nil {
		e.Int(keySlot, *r.Slot)
	}
	if r.Signal != 0 {
		e.Str(keySignal, signalName(r.Signal))
	}
	if detail := r.particulars(); detail != "" {
		e.Str(keyDetail, detail)
	}
	e.Int(keyUID, r.UID).Int(keyPID, r.PID).Str(keyFrom, r.From).Msg("request")
}

// Verdict is how a request ended.
type Verdict struct {
	Text  string
	Err   error
	Lines []string        // the last words of the worker that is to blame
	Data  json.RawMessage // of Plan: a PlanView
}
