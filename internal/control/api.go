package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// The paths of API version 1. Each POST takes a Body and answers with a Result.
const (
	PathStatus = "/v1/status" // GET: a supervisor.Snapshot
	PathWatch  = "/v1/watch"  // GET: one supervisor.Snapshot per line, the current one first
	PathVerb   = "/v1/"       // POST /v1/VERB
)

// Body is what a POST carries. All fields are optional but Workers or Delta of scale.
type Body struct {
	Pool    string `json:"pool,omitempty"`    // all pools if empty
	Workers int    `json:"workers,omitempty"` // scale: how many
	Delta   int    `json:"delta,omitempty"`   // scale: how many more
	Abort   bool   `json:"abort,omitempty"`   // roll, reload: end the rollout at hand and go back
	// Wait is how many seconds the answer may take: a rollout answers at its end. 0 answers at once, with what the
	// request began.
	Wait float64 `json:"wait_seconds,omitempty"`
}

// Result is how a request ended. Error is empty on success.
type Result struct {
	Text     string          `json:"text,omitempty"`
	Error    string          `json:"error,omitempty"`
	Lines    []string        `json:"last_lines,omitempty"` // of the worker that is to blame
	Accepted bool            `json:"accepted,omitempty"`   // it goes on; nobody waited for its end
	Plan     json.RawMessage `json:"plan,omitempty"`       // plan: the document
}

// maxBody is more than any sensible Body has.
const maxBody = 16 << 10

// maxWait bounds what a client may ask a server to wait.
const maxWait = 24 * time.Hour

// request is one that the path may name, and what may be in its Body beside the fields that every request has.
type request struct {
	verb    supervisor.Verb
	count   bool // exactly one of Workers and Delta
	mayStop bool // Abort
}

// requests is the whole table.
func requests() []request {
	return []request{
		{verb: supervisor.Roll, mayStop: true},
		{verb: supervisor.Reload, mayStop: true},
		{verb: supervisor.Scale, count: true},
		{verb: supervisor.Plan},
		{verb: supervisor.Dump},
		{verb: supervisor.Stop},
		{verb: supervisor.Kill},
	}
}

// check refuses a Body that makes no sense for the request.
func (r request) check(body Body) error {
	given := 0
	if body.Workers != 0 {
		given++
	}
	if body.Delta != 0 {
		given++
	}
	switch {
	case r.count && given != 1:
		return errors.New("cannot scale: give either workers, which is at least 1, or delta")
	case !r.count && given != 0:
		return fmt.Errorf("cannot %s: workers and delta belong to scale", r.verb)
	case !r.mayStop && body.Abort:
		return fmt.Errorf("cannot %s: abort belongs to roll and reload", r.verb)
	}
	return nil
}
