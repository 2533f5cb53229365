package probe

import "time"

// Verdict is what the answers of a worker amount to.
type Verdict int

// A worker that was not asked often enough is in none of the other two: what that means depends on who asks. Kubernetes
// takes it for not ready, but for live.
const (
	Unknown Verdict = iota
	Passing
	Failing
)

func (v Verdict) String() string {
	switch v {
	case Unknown:
		return "unknown"
	case Passing:
		return "passing"
	case Failing:
		return "failing"
	}
	return "?"
}

// Outcome is a new verdict and the attempt that brought it.
type Outcome struct {
	Verdict  Verdict
	Err      error         // what the last attempt saw; nil if Passing
	InARow   int           // attempts with this result, one after another; its threshold
	Attempts int           // all since the beginning
	Failures int           // those of them that failed
	Took     time.Duration // the last attempt, with the wait for its turn
	Since    time.Time     // when the first of those in a row began
}

// tally counts attempts until they are a verdict.
type tally struct {
	success, failure int // thresholds
	now              Outcome
	lastFailed       bool
}

// add counts an attempt and returns the outcome, and whether it is a new verdict.
func (t *tally) add(begun time.Time, took time.Duration, err error) (Outcome, bool) {
	o := &t.now
	failed := err != nil
	if o.Attempts == 0 || failed != t.lastFailed {
		o.InARow, o.Since = 0, begun
	}
	t.lastFailed = failed
	o.Attempts++
	o.InARow++
	o.Took, o.Err = took, err
	verdict, threshold := Passing, t.success
	if failed {
		o.Failures++
		verdict, threshold = Failing, t.failure
	}
	if o.InARow < threshold || o.Verdict == verdict {
		return *o, false
	}
	o.Verdict = verdict
	return *o, true
}
