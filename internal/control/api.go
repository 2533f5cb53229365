package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// The paths of API version 1. docs/openapi.yaml has all of them, and what they take and give.
const (
	PathStatus     = "/v1/status"     // GET: a supervisor.Snapshot
	PathWatch      = "/v1/watch"      // GET: one supervisor.Snapshot per line, the current one first
	PathPools      = "/v1/pools"      // GET: Pools; below it, a supervisor.PoolView by name
	PathWorkers    = "/v1/workers"    // GET: Workers
	PathFleets     = "/v1/fleets"     // GET: Fleets; below it, a fleet.View by name
	PathConfig     = "/v1/config"     // GET: Config
	PathEvents     = "/v1/events"     // GET: server-sent events, each with an events.Event
	PathLogs       = "/v1/logs"       // GET: one LogLine per line
	PathMetrics    = "/v1/metrics"    // GET: text for Prometheus
	PathOperations = "/v1/operations" // GET: Operations; below it, an Operation by id
	PathVerb       = "/v1/"           // POST /v1/VERB: a Body; a Result
)

// Body is what a POST carries. All fields are optional but those without which a verb means nothing: Workers or Delta of
// scale, Signal of signal, Pool of signal and restart, Slot of restart.
type Body struct {
	Pool    string `json:"pool,omitempty"`    // all pools if empty
	Slot    *int   `json:"slot,omitempty"`    // signal, restart: which one; without it signal means all of them
	Workers int    `json:"workers,omitempty"` // scale: how many
	Delta   int    `json:"delta,omitempty"`   // scale: how many more
	Signal  string `json:"signal,omitempty"`  // signal: its name, as HUP or SIGHUP
	Force   bool   `json:"force,omitempty"`   // signal: also if the worker dies of it
	Program string `json:"program,omitempty"` // upgrade: the path of the version to go on as
	Fleet   string `json:"fleet,omitempty"`   // pause, resume: which one; may be left out where there is one
	Reason  string `json:"reason,omitempty"`  // pause: why, for all others
	Abort   bool   `json:"abort,omitempty"`   // roll, reload: end the rollout at hand and go back
	// Wait is how many seconds the answer may take: a rollout answers at its end. 0 answers at once, with what the
	// request began.
	Wait float64 `json:"wait_seconds,omitempty"`
}

// Result is how a request went. Error and Code are empty on success.
type Result struct {
	Text      string          `json:"text,omitempty"`
	Error     string          `json:"error,omitempty"`
	Code      Code            `json:"code,omitempty"`
	Hint      string          `json:"hint,omitempty"`
	Lines     []string        `json:"last_lines,omitempty"` // of the worker that is to blame
	Accepted  bool            `json:"accepted,omitempty"`   // it goes on; nobody waited for its end
	Operation string          `json:"operation,omitempty"`  // what to watch, and where the verdict is kept
	Plan      json.RawMessage `json:"plan,omitempty"`       // plan: the document
}

// maxBody is more than any sensible Body has.
const maxBody = 16 << 10

// maxWait bounds what a client may ask a server to wait.
const maxWait = 24 * time.Hour

// request is one that the path may name, and what may be in its Body beside the fields that every request has.
type request struct {
	verb    supervisor.Verb
	need    permission
	count   bool // exactly one of Workers and Delta
	mayStop bool // Abort
	signal  bool // Signal, and Force
	place   bool // Pool, and Slot
	isSlot  bool // not without Slot
	isBrief bool // it is no operation: who asked gets the answer, and nobody else
	isWhole bool // not of one Pool
	program bool // Program
	fleet   bool // Fleet
	reason  bool // Reason
}

// requests is the whole table.
func requests() []request {
	return []request{
		{verb: supervisor.Roll, mayStop: true},
		{verb: supervisor.Reload, mayStop: true},
		{verb: supervisor.Scale, count: true},
		{verb: supervisor.Restart, place: true, isSlot: true},
		{verb: supervisor.Signal, place: true, signal: true},
		{verb: supervisor.Plan, need: mayRead, isBrief: true, isWhole: true},
		{verb: supervisor.Dump},
		{verb: supervisor.Upgrade, isWhole: true, program: true},
		{verb: supervisor.Pause, isBrief: true, isWhole: true, fleet: true, reason: true},
		{verb: supervisor.Resume, isBrief: true, isWhole: true, fleet: true},
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
	case !r.count && given != 0:
		return fmt.Errorf("cannot %s: workers and delta belong to scale", r.verb)
	case !r.mayStop && body.Abort:
		return fmt.Errorf("cannot %s: abort belongs to roll and reload", r.verb)
	case !r.signal && (body.Signal != "" || body.Force):
		return fmt.Errorf("cannot %s: signal and force belong to signal", r.verb)
	case !r.place && body.Slot != nil:
		return fmt.Errorf("cannot %s: slot belongs to signal and restart", r.verb)
	case r.isWhole && body.Pool != "":
		return fmt.Errorf("cannot %s for one pool: pool does not belong to it, which is about all of them", r.verb)
	case !r.fleet && body.Fleet != "":
		return fmt.Errorf("cannot %s: fleet belongs to pause and resume", r.verb)
	case !r.reason && body.Reason != "":
		return fmt.Errorf("cannot %s: reason belongs to pause", r.verb)
	case !r.program && body.Program != "":
		return fmt.Errorf("cannot %s: program belongs to upgrade", r.verb)
	case body.Program != "" && !filepath.IsAbs(body.Program):
		return fmt.Errorf("cannot upgrade to %q: program is an absolute path", body.Program)
	case r.count && given != 1:
		return errors.New("cannot scale: give either workers, which is at least 1, or delta")
	case r.place && body.Pool == "":
		return fmt.Errorf("cannot %s: give pool", r.verb)
	case r.isSlot && body.Slot == nil:
		return fmt.Errorf("cannot %s: give slot; roll is for all of them", r.verb)
	case r.signal && body.Signal == "":
		return errors.New("cannot signal: give signal, as \"USR1\"")
	}
	return nil
}
