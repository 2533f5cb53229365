package top

import (
	"time"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/supervisor"
)

// Effect is what a model wants done. Its result comes back as a message.
//
//sumtype:decl
type Effect interface{ effect() }

type (
	// Quit ends the program.
	Quit struct{}
	// Suspend stops it, as Ctrl-Z does with others, until the shell lets it go on.
	Suspend struct{}
	// Look reads what there is to know of a worker. [Seen] follows.
	Look struct {
		Worker Worker
		Parent int // the supervisor's pid
	}
	// Ask asks the supervisor for something. [Answered] follows.
	Ask struct {
		Verb supervisor.Verb
		Body control.Body
		What string // in words
	}
)

func (Quit) effect()    {}
func (Suspend) effect() {}
func (Look) effect()    {}
func (Ask) effect()     {}

// Arrived is a picture of the supervisor.
type Arrived struct {
	Snapshot supervisor.Snapshot
	At       time.Time
}

// Lost says that the supervisor does not answer. It comes again with each attempt that fails.
type Lost struct {
	Err error // nil if it said its last words
	At  time.Time
}

// Seen is what there was to know of a worker.
type Seen struct {
	Worker Worker
	Detail Detail
}

// Answered is what a supervisor said to what was asked for.
type Answered struct {
	What  string
	Text  string
	Err   error
	Lines []string // of the worker that is to blame
}
