package supervisor

import (
	"fmt"
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
		Ready: s.wasReady, Last: s.feed.Last(), Deadman: s.handDeadman(c),
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
	answers := answerBook{of: map[*gather]int{}}
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
	of  map[*gather]int
	all []HandedAnswer
}

// enter follows an answer from a pool to where those of all pools come together, and returns the number of that.
func (b *answerBook) enter(c clock, r replier, w *HandedWaiter) int {
	switch at := r.(type) {
	case bookedReply:
		w.Booked = c.of(at.begun)
		return b.enter(c, at.next, w)
	case unreadReply:
		w.Unread = true
		return b.enter(c, at.next, w)
	case *gather:
		n, ok := b.of[at]
		if !ok {
			n = len(b.all)
			b.of[at] = n
			b.all = append(b.all, HandedAnswer{
				Ticket: ticketOf(at.reply), Text: at.all.Text, Err: handError(at.all.Err), Lines: at.all.Lines, Reloading: at.reloading,
			})
		}
		return n
	}
	panic(fmt.Sprintf("supervisor: unknown answer %T", r))
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
