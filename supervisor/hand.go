package supervisor

import (
	"os"
	"slices"
	"syscall"

	"github.com/broodctl/brood/supervisor/events"
	"github.com/broodctl/brood/supervisor/plan"
)

// hand writes down what the supervisor knows. Only the loop calls it, or whoever the loop waits for.
func (s *Supervisor) hand() Handed {
	c := readClock()
	h := Handed{
		At: c.boot, Begun: s.begun.UnixNano(), Seed: s.seed, Desired: s.desired, Config: s.config,
		Leaving: s.leaving, Terms: s.terms, Code: s.code, Ready: s.wasReady, Last: s.feed.Last(),
	}
	h.Events, _ = s.feed.Next(0, events.Kept)
	if u := s.upgrade; u != nil {
		h.Upgrade = HandedUpgrade{From: s.cfg.Version, Begun: c.of(u.begun), Ticket: ticketOf(u.reply)}
		h.Signals = numbersOf(u.signals)
	}
	for key, l := range s.house.open {
		if s.house.paused[l] {
			h.Paused = append(h.Paused, key)
		}
	}
	for word := range s.gauge.said {
		h.Said = append(h.Said, word)
	}
	slices.Sort(h.Said)
	answers := answerBook{}
	for _, p := range s.pools {
		h.Pools = append(h.Pools, p.hand(c, &answers))
	}
	h.Asked = answers.all
	return h
}

func numbersOf(signals []os.Signal) []syscall.Signal {
	var all []syscall.Signal
	for _, sig := range signals {
		if n, ok := sig.(syscall.Signal); ok {
			all = append(all, n)
		}
	}
	return all
}

// keyOf is that of an open listener.
func (h *house) keyOf(l Listener) plan.Key {
	for key, open := range h.open {
		if open == l {
			return key
		}
	}
	return plan.Key{}
}

// answerBook has each answer once, whoever gives a part of it.
type answerBook struct {
	of  map[replier]int
	all []HandedAnswer
}

// enter follows an answer from a pool to who asked, and returns its number.
func (b *answerBook) enter(c clock, r replier, w *HandedWaiter) int {
	switch at := r.(type) {
	case bookedReply:
		w.Booked = c.of(at.begun)
		return b.enter(c, at.next, w)
	case unreadReply:
		w.Unread = true
		return b.enter(c, at.next, w)
	}
	if n, ok := b.of[key(r)]; ok {
		return n
	}
	var a HandedAnswer
	if g, ok := r.(*gather); ok {
		a = HandedAnswer{Ticket: ticketOf(g.reply), Text: g.all.Text, Err: handError(g.all.Err), Lines: g.all.Lines, Reloading: g.reloading}
	} else {
		a = HandedAnswer{Ticket: ticketOf(r)}
	}
	if b.of == nil {
		b.of = map[replier]int{}
	}
	b.all = append(b.all, a)
	if k := key(r); k != nil {
		b.of[k] = len(b.all) - 1
	}
	return len(b.all) - 1
}

// key is what one is found by again; functions cannot be compared.
func key(r replier) replier {
	if g, ok := r.(*gather); ok {
		return g
	}
	return nil
}

// ticketOf is by what who asked is found again; "" if nobody waits.
func ticketOf(r replier) string {
	switch at := r.(type) {
	case seenReply:
		return ticketOf(at.next)
	case asker:
		return at.ticket
	case *pastAnswer:
		return at.ticket
	}
	return ""
}
