package supervisor

import (
	"github.com/broodctl/brood/internal/lease"
	"github.com/broodctl/brood/supervisor/machine"
)

// What is said of claims, fleets and the session that keeps them.
type (
	// sought: a claim was found for a pool, or nobody looks for one any more.
	sought struct {
		pool  *pool
		right machine.Right
		claim lease.Claim // nil if there is none
	}
	// unclaimed: there is nothing to be claimed for a pool, and who looks for it waits.
	unclaimed struct {
		pool  *pool
		right machine.Right
		why   string
	}
	// regained: a claim that was lost is had again, or why not.
	regained struct {
		pool  *pool
		ref   machine.Ref
		was   machine.Claim
		claim lease.Claim
		err   error
	}
	// joined: a place in its fleet was found for a pool, or nobody looks for one any more.
	joined struct {
		pool  *pool
		fleet string
		claim lease.Claim // nil if there is none
	}
	// spoke: what a pool says in its fleet was written, or cannot be.
	spoke struct {
		pool  *pool
		claim lease.Claim
		text  string
		err   error
	}
	// confessed: a fleet was told of a rollout that failed, or nobody tells it any more.
	confessed struct {
		pool  *pool
		halts string // what all others wait for from now on
		err   error
	}
	// heard: there is news of the session that all claims belong to.
	heard struct{ notice lease.Notice }
	// lapseDue: a session was not renewed for so long that something has to be done about it.
	lapseDue struct {
		session lease.Session
		stage   lapseStage
	}
)

func (sought) message()    {}
func (unclaimed) message() {}
func (regained) message()  {}
func (joined) message()    {}
func (spoke) message()     {}
func (confessed) message() {}
func (heard) message()     {}
func (lapseDue) message()  {}
