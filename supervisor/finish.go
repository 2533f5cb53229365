package supervisor

import "time"

// finish gives back everything, answers everybody who still waits, and returns the exit code.
func (s *Supervisor) finish() int {
	code := s.code
	s.endUpgrade(ErrStopped)
	s.cancel()
	s.gauge.close()
	for _, p := range s.pools {
		code = max(code, p.code)
		p.close()
	}
	close(s.quit)
	s.giveUpReloads()
	s.endTransaction(Verdict{Err: ErrStopped})
	s.observer.close()
	s.endGuard()
	s.awaitPending() // some of them have something to say
	for _, msg := range append(s.unread, s.mail.close()...) {
		refuse(msg)
	}
	s.answer()
	s.log.Info().Int(keyCode, code).Msg("supervisor ended")
	s.systemd.close()
	return code
}

// Forced reports whether somebody had everything killed, by a fourth termination or by Kill. It is for who has called Run,
// when that has returned.
func (s *Supervisor) Forced() bool { return s.forced }

// refuse answers, and takes back, what the loop does not come to any more.
func refuse(msg message) {
	stopped := Verdict{Err: ErrStopped}
	switch m := msg.(type) {
	case requested:
		m.reply.give(stopped)
	case surveyed:
		m.reply.give(stopped)
	case rollReady:
		m.refuse(stopped)
	case answered:
		m.reply.give(stopped)
	case aimed:
		m.reply.give(stopped)
	case reloadReady:
		m.transaction.discard()
	case sought:
		if m.claim != nil {
			m.pool.giveBack(m.claim)
		}
	case regained:
		if m.claim != nil {
			m.pool.giveBack(m.claim)
		}
	case joined:
		if m.claim != nil {
			m.pool.giveBack(m.claim)
		}
	case confessed:
		m.pool.confessed(m)
	case unsent:
		m.pool.unsent(m) // a worker that was to be killed lives on
	case deadmanBegun, deadmanGone, deadmanSaid, unheard:
	case unclaimed, heard, lapseDue, spoke:
	case nudged, upgradeMoved, overdue, probed, missed, lifetimeOver, roundDue, roundSeen, restoreDue, happened:
	case changeReady, started, exited, gone, told, proven, unproven, timerEnded, startReady, backDue, rechecked, loadDue, loadSeen, signalled, publishDue, watchdogDue:
	}
}

// awaitPending waits for what is done beside the loop, which has been told to end, but not for ever: a read from a file
// system that hangs ends when it wants to.
func (s *Supervisor) awaitPending() {
	done := make(chan struct{})
	go func() {
		s.pending.Wait()
		<-s.couriers.back()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(lastWords):
		s.log.Warn().Msg("something that was being prepared does not end, and is left alone")
	}
}
