package control

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// Handed is what a server leaves to the one of the next program, which goes on in the same process. It is made for
// encoding/json.
type Handed struct {
	Serial     int               `json:"serial"` // of the latest operation
	Operations []HandedOperation `json:"operations"`
}

// HandedOperation is one that is remembered.
type HandedOperation struct {
	Seen   Operation     `json:"seen"` // as who asks is told
	Asked  bool          `json:"asked,omitempty"`
	Answer *HandedAnswer `json:"answer,omitempty"` // of one that has been answered, and has not ended
}

// HandedAnswer is that of a request whose aims have not come about.
type HandedAnswer struct {
	Text  string   `json:"text,omitempty"`
	Lines []string `json:"last_lines,omitempty"`
	Aims  []Aim    `json:"aims,omitempty"`
}

// ErrHanded is in the chain of the errors about what cannot have been handed by a server.
var ErrHanded = errors.New("it makes no sense")

// Check reports what a server cannot go on from.
func (h *Handed) Check() error {
	if n := len(h.Operations); n > operationsKept {
		return fmt.Errorf("cannot take over %d operations: %w", n, ErrHanded)
	}
	last := 0
	for i := range h.Operations {
		op := &h.Operations[i]
		n, err := strconv.Atoi(strings.TrimPrefix(op.Seen.ID, "op-"))
		if err != nil || op.Seen.ID != idOf(n) || n <= last || n > h.Serial {
			return fmt.Errorf("cannot take over operation %q, behind number %d of %d: %w", op.Seen.ID, last, h.Serial, ErrHanded)
		}
		last = n
		switch op.Seen.State {
		case OperationRunning, OperationDone, OperationFailed:
		default:
			return fmt.Errorf("cannot take over operation %s: its state is %q: %w", op.Seen.ID, op.Seen.State, ErrHanded)
		}
		if _, err := op.request(); err != nil {
			return fmt.Errorf("cannot take over operation %s: %w: %w", op.Seen.ID, ErrHanded, err)
		}
	}
	return nil
}

// request is what was asked for.
func (h *HandedOperation) request() (supervisor.Request, error) {
	v := &h.Seen
	req := supervisor.Request{
		Verb: v.Verb, Pool: v.Pool, Slot: v.Slot, Workers: v.Workers, Delta: v.Delta, Force: v.Force, Abort: v.Abort,
		UID: nobody, PID: v.PID, From: v.From, Ticket: v.ID,
	}
	if v.UID != nil {
		req.UID = *v.UID
	}
	if v.Signal == "" {
		return req, nil
	}
	var err error
	req.Signal, err = parseSignal(v.Signal)
	return req, err
}

// handTime is how long an answer may take that is being given, beside the context of Hand.
const handTime = time.Second
