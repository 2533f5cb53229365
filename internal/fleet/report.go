package fleet

import (
	"encoding/json"

	"github.com/broodctl/brood/internal/lease"
)

// What a member of a fleet can be at.
const (
	Idle    = "idle"    // it has not rolled since it was started
	Waits   = "waits"   // for its turn
	Rolls   = "rolls"   // it has its turn
	Done    = "done"    // its last rollout went well
	Failed  = "failed"  // its last rollout did not
	Unknown = "unknown" // it has said nothing yet
)

// Report is what a member says of itself. It is the value of its place.
type Report struct {
	Pool       string `json:"pool"`
	State      string `json:"state"` // idle, waits, rolls, done, failed
	Generation uint64 `json:"generation"`
	Done       int    `json:"done"`    // workers that are of this generation
	Workers    int    `json:"workers"` // that there are to be
	Since      int64  `json:"since"`   // Unix time in seconds
	Why        string `json:"why,omitempty"`
}

// Encode cuts the last words until all of it fits.
func (r Report) Encode() string {
	r.Why = plain(r.Why, lease.MaxValue)
	for {
		b, err := json.Marshal(r)
		if err != nil {
			return ""
		}
		over := len(b) - lease.MaxValue
		if over <= 0 || r.Why == "" {
			return string(b[:min(len(b), lease.MaxValue)])
		}
		r.Why = plain(r.Why, max(0, len(r.Why)-over))
	}
}

// ReadReport reads what Encode wrote. Of what cannot be read nothing is known.
func ReadReport(value string) Report {
	var r Report
	if err := json.Unmarshal([]byte(value), &r); err != nil || r.State == "" {
		r.State = Unknown
	}
	return r
}
