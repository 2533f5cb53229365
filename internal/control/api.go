package control

import (
	"time"

	"github.com/broodctl/brood/supervisor"
)

// The paths of API version 1. Each POST takes a Body and answers with a Result.
const (
	PathStatus = "/v1/status" // GET: a supervisor.Snapshot
	PathVerb   = "/v1/"       // POST /v1/roll, /v1/reload, /v1/scale, /v1/dump, /v1/stop, /v1/kill
)

// Body is what a POST carries. All fields are optional but Workers or Delta of scale.
type Body struct {
	Pool    string `json:"pool,omitempty"`    // all pools if empty
	Workers int    `json:"workers,omitempty"` // scale: how many
	Delta   int    `json:"delta,omitempty"`   // scale: how many more
	// Wait is how many seconds the answer may take: a rollout answers at its end. 0 answers at once, with what the
	// request began.
	Wait float64 `json:"wait_seconds,omitempty"`
}

// Result is how a request ended. Error is empty on success.
type Result struct {
	Text     string   `json:"text,omitempty"`
	Error    string   `json:"error,omitempty"`
	Lines    []string `json:"last_lines,omitempty"` // of the worker that is to blame
	Accepted bool     `json:"accepted,omitempty"`   // it goes on; nobody waited for its end
}

// maxBody is more than any sensible Body has.
const maxBody = 16 << 10

// maxWait bounds what a client may ask a server to wait.
const maxWait = 24 * time.Hour

// verbs are the requests that the path may name.
func verbs() []supervisor.Verb {
	return []supervisor.Verb{
		supervisor.Roll, supervisor.Reload, supervisor.Scale, supervisor.Dump, supervisor.Stop, supervisor.Kill,
	}
}
