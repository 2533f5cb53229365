package supervisor

import (
	"os"

	"golang.org/x/sys/unix"
)

// Signals lists what Run wants to be told of; see docs/signals.md, which a test compares with this list.
func SignalsWanted() []os.Signal {
	return []os.Signal{
		unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGTTIN, unix.SIGTTOU,
	}
}

// forwardSignals makes messages of signals until the function that it returns is called: what comes then stays in the
// channel.
func (s *Supervisor) forwardSignals() (end func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	s.goOn(func() {
		defer close(done)
		for {
			select {
			case sig := <-s.signals:
				s.mail.post(signalled{sig: sig})
			case <-stop:
				return
			case <-s.quit:
				return
			}
		}
	})
	return func() {
		close(stop)
		<-done
	}
}

func nameOf(sig os.Signal) string {
	if s, ok := sig.(unix.Signal); ok {
		return signalName(s)
	}
	return sig.String()
}

// reopen has log files opened anew, for who has renamed them.
func (s *Supervisor) reopen() {
	files := 0
	if s.cfg.World.Reopen != nil {
		files = s.cfg.World.Reopen()
	}
	if files == 0 {
		s.log.Info().Msg("no log files to reopen")
		return
	}
	s.log.Info().Int(keyCount, files).Msg("log files are opened again")
}

// signalled does what a signal to the supervisor means.
func (s *Supervisor) signalled(sig os.Signal) {
	s.log.Info().Str(keySignal, nameOf(sig)).Msg("signal received")
	s.tellSignal(sig)
	if s.defers(sig) || sig == unix.SIGHUP && s.reloadsAsUpgrade() {
		return
	}
	s.obey(sig)
}

// obey does what a signal means.
func (s *Supervisor) obey(sig os.Signal) {
	quiet := s.nobody()
	switch sig {
	case unix.SIGTERM, unix.SIGINT:
		s.term()
	case unix.SIGHUP:
		s.serve(Request{Verb: Reload, UID: Nobody}, quiet)
	case unix.SIGUSR2:
		s.serve(Request{Verb: Dump, UID: Nobody}, quiet)
	case unix.SIGTTIN:
		s.serve(Request{Verb: Scale, Delta: 1, UID: Nobody}, quiet)
	case unix.SIGTTOU:
		s.serve(Request{Verb: Scale, Delta: -1, UID: Nobody}, quiet)
	case unix.SIGUSR1:
		s.reopen()
	}
}
