package supervisor

import "fmt"

// handle is the one switch over everything that can happen.
func (s *Supervisor) handle(msg message) {
	switch m := msg.(type) {
	case started:
		m.pool.started(m)
	case exited:
		s.overtaken()
		m.pool.exited(m)
	case unsent:
		m.pool.unsent(m)
	case gone:
		m.pool.gone(m.ref)
	case told:
		m.pool.told(m)
	case proven:
		m.pool.pass(m.ref, m.gate, m.how)
	case unproven:
		if rec := m.pool.workers[m.ref]; rec != nil && rec.gate == m.gate {
			rec.probe = m.err
		}
	case overdue:
		m.pool.overdue(m)
	case probed:
		m.pool.probed(m)
	case missed:
		m.pool.missed(m)
	case lifetimeOver:
		m.pool.lifetimeOver(m)
	case roundDue:
		m.pool.roundDue(m.kind)
	case roundSeen:
		m.pool.roundSeen(m)
	case restoreDue:
		m.pool.restoreDue(m.ref)
	case happened:
		s.happened(m.event)
	case timerEnded:
		m.pool.timerEnded(m)
	case surveyed:
		s.looking--
		m.pool.surveyed(m)
	case rollReady:
		m.pool.rollReady(m)
	case startReady:
		m.pool.startReady(m)
	case changeReady:
		s.changeReady(m)
	case reloadReady:
		s.reloadReady(m)
	case backDue:
		s.backDue(m)
	case rechecked:
		m.pool.rechecked(m)
	case loadDue:
		m.pool.loadDue()
	case loadSeen:
		m.pool.loadSeen(m.load)
	case sought:
		m.pool.sought(m)
	case unclaimed:
		m.pool.unclaimed(m)
	case regained:
		m.pool.regained(m)
	case joined:
		m.pool.joined(m)
	case spoke:
		m.pool.spoke(m)
	case confessed:
		m.pool.confessed(m)
	case heard:
		s.heard(m.notice)
	case lapseDue:
		s.lapseDue(m)
	case deadmanBegun:
		s.deadmanBegun(m)
	case deadmanGone:
		s.deadmanGone(m)
	case deadmanSaid:
		s.deadmanSaid(m.words)
	case unheard:
		s.unheard(m)
	case signalled:
		s.signalled(m.sig)
	case publishDue:
		s.press.waiting = false // the batch that this came with is published
	case watchdogDue:
		s.systemd.alive()
	case answered:
		s.looking--
		m.reply.give(m.verdict)
	case aimed:
		s.looking--
		m.pool.aimed(m)
	case upgradeMoved:
		s.upgradeMoved(m)
	case nudged:
		close(m.answer)
	case requested:
		s.serve(m.req, seenReply{sup: s, next: m.reply})
	default:
		panic(fmt.Sprintf("supervisor: unknown message %T", msg))
	}
}
