package supervisor

import (
	"errors"
	"fmt"

	"github.com/broodctl/brood/supervisor/plan"
)

// ErrAborted is in the chain when somebody took a reload back.
var ErrAborted = errors.New("aborted by request")

// abortReload takes the reload at hand back.
func (s *Supervisor) abortReload(reply replier) {
	t := s.transaction
	switch {
	case t == nil && s.abortRolls():
		reply.give(Verdict{Text: "reload aborted; the pools that it rolled go back"})
	case t == nil:
		reply.give(Verdict{Err: fmt.Errorf("cannot abort reload: %w", ErrNothing)})
	case s.config.Reload.State == reloadPreparing:
		// What is being read may never come; when it does, it is thrown away.
		s.refused(Verdict{Err: ErrAborted})
		reply.give(Verdict{Text: "reload aborted; nothing had changed"})
	case t.progress == nil && t.plan.Empty() && s.abortRolls():
		reply.give(Verdict{Text: "reload aborted; the pools that it rolled go back"})
	case t.progress == nil || t.progress.Phase() != plan.Applying:
		reply.give(Verdict{Err: fmt.Errorf("cannot abort reload: %w: it is at its end already", ErrNothing)})
	default:
		s.fail(Verdict{Err: ErrAborted})
		reply.give(Verdict{Text: "reload aborted; what it changed goes back"})
	}
}

// abortRolls ends the rollouts of a reload in which nothing changed, or which reads no file, and reports whether there was one.
func (s *Supervisor) abortRolls() bool {
	found := false
	for _, p := range s.pools {
		if p.abort().Err == nil {
			found = true
		}
	}
	return found
}
