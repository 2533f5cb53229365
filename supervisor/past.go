package supervisor

import (
	"context"
	"errors"
	"fmt"
)

// ErrNoTicket means that a request is not known, or has been answered.
var ErrNoTicket = errors.New("nobody waits for it")

// pastAnswers are those to requests that were made of the program before this one, by ticket. Nobody adds one after New.
type pastAnswers map[string]*pastAnswer

// pastAnswer gives an answer to who comes for it.
type pastAnswer struct {
	ticket  string
	known   chan struct{}
	verdict Verdict // to be read when it is known
}

func (a *pastAnswer) give(v Verdict) {
	a.verdict = v
	close(a.known)
}

// Rejoin waits, as Do does, for the verdict about a request that was made with this ticket of the program before this one.
// The error is ErrNoTicket if nobody of it was waiting any more.
func (s *Supervisor) Rejoin(ctx context.Context, ticket string) Verdict {
	a := s.past[ticket]
	if a == nil {
		return Verdict{Err: fmt.Errorf("cannot wait for %s: %w", ticket, ErrNoTicket)}
	}
	select {
	case <-a.known:
		return a.verdict
	case <-ctx.Done():
		return Verdict{Err: fmt.Errorf("cannot wait for %s: %w", ticket, ctx.Err())}
	case <-s.quit:
		return Verdict{Err: ErrStopped}
	}
}

// expect lets those wait who had asked the program before.
func (s *Supervisor) expect(h *Handed) {
	s.past = pastAnswers{}
	expect := func(ticket string) {
		if ticket != "" {
			s.past[ticket] = &pastAnswer{ticket: ticket, known: make(chan struct{})}
		}
	}
	for i := range h.Asked {
		expect(h.Asked[i].Ticket)
	}
	expect(h.Upgrade.Ticket)
}

// takeAnswers makes the answers again that pools have to give a part of.
func (s *Supervisor) takeAnswers(h *Handed) []replier {
	parts := make([]int, len(h.Asked))
	for i := range h.Pools {
		for _, w := range h.Pools[i].Waiting {
			parts[w.Answer]++
		}
		for _, r := range h.Pools[i].Restarts {
			parts[r.Answer]++
		}
	}
	all := make([]replier, len(h.Asked))
	for i := range h.Asked {
		a := &h.Asked[i]
		g := newGather(parts[i], seenReply{sup: s, next: s.askedBefore(a.Ticket)})
		g.all = Verdict{Text: a.Text, Err: a.Err.error(), Lines: a.Lines}
		if g.sup, g.reloading = s, a.Reloading; a.Reloading {
			s.systemd.reloads++
		}
		all[i] = g
	}
	return all
}

// askedBefore is who asked with a ticket.
func (s *Supervisor) askedBefore(ticket string) replier {
	if ticket == "" {
		return s.nobody()
	}
	return s.past[ticket]
}

// nobody only wants to read of failures.
func (s *Supervisor) nobody() replier {
	return replyFunc(func(v Verdict) {
		if v.Err != nil {
			s.log.Error().Err(v.Err).Msg("request by signal failed")
		}
	})
}

// answerUpgrade tells who wanted the upgrade that it has come about.
func (s *Supervisor) answerUpgrade(h *Handed, words string) {
	v := Verdict{Text: words}
	if h.Upgrade.Failed != "" {
		v = Verdict{Err: fmt.Errorf("cannot upgrade: %w: %s", ErrUpgrade, h.Upgrade.Failed)}
	}
	if h.Upgrade.Ticket != "" {
		seenReply{sup: s, next: s.past[h.Upgrade.Ticket]}.give(v)
	}
}
