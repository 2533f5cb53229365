package control

import (
	"context"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// The states of an operation.
const (
	OperationRunning = "running"
	OperationDone    = "done"
	OperationFailed  = "failed"
)

// Operation is something that somebody asked for, from the request to its end.
type Operation struct {
	ID      string          `json:"id"`
	Verb    supervisor.Verb `json:"verb"`
	Pool    string          `json:"pool,omitempty"`
	Slot    *int            `json:"slot,omitempty"`
	Workers int             `json:"workers,omitempty"`
	Delta   int             `json:"delta,omitempty"`
	Signal  string          `json:"signal,omitempty"`
	Force   bool            `json:"force,omitempty"`
	Abort   bool            `json:"abort,omitempty"`
	State   string          `json:"state"` // running, done, failed
	Started time.Time       `json:"started"`
	Ended   time.Time       `json:"ended,omitzero"`
	Text    string          `json:"text,omitempty"`
	Error   string          `json:"error,omitempty"`
	Code    Code            `json:"code,omitempty"`
	Hint    string          `json:"hint,omitempty"`
	Lines   []string        `json:"last_lines,omitempty"` // of the worker that is to blame
	UID     *int            `json:"uid,omitempty"`        // who asked
	PID     int             `json:"pid,omitempty"`        // of the process that asked
	From    string          `json:"from,omitempty"`       // the address that asked over TCP
}

// under is an operation under way, or ended.
type under struct {
	view     Operation // guarded by the lock of all
	answered chan struct{}
	verdict  supervisor.Verdict // of the request; to be read after answered is closed, as aims
	aims     []Aim
	ended    chan struct{}
	forget   context.CancelCauseFunc // ends the waiting for what was answered before its end
}

func newUnder(body Body, req supervisor.Request) *under {
	op := &under{answered: make(chan struct{}), ended: make(chan struct{})}
	op.view = Operation{
		Verb: req.Verb, Pool: body.Pool, Slot: body.Slot, Workers: body.Workers, Delta: body.Delta, Signal: body.Signal, Force: body.Force, Abort: body.Abort,
		State: OperationRunning, Started: time.Now(), PID: req.PID, From: req.From,
	}
	if req.UID != nobody {
		op.view.UID = new(req.UID)
	}
	return op
}
