package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// ErrUpgrade is in the chain of every upgrade that did not come about: the program that was asked goes on.
var ErrUpgrade = errors.New("upgrade refused")

var (
	errNoUpgrade = errors.New("this program cannot be replaced while it runs")
	errUnderWay  = errors.New("another one is under way")
	errBusy      = errors.New("signals to workers, or questions to them, do not come back")
)

// upgrade is how far one has come.
type upgrade struct {
	stage   upgradeStage
	path    string
	maybe   bool // only if there is another program
	next    Successor
	reply   replier
	begun   time.Time
	signals []os.Signal     // that came when it was too late for them
	ctx     context.Context //nolint:containedctx // of what is done for it beside the loop
	cancel  context.CancelFunc
}

// upgradeStage is what an upgrade waits for.
type upgradeStage uint8

const (
	upAsking    upgradeStage = iota // the next program's opinion
	upQueueing                      // the end of what cannot be handed on: a reload, one-shot commands
	upHushing                       // the silence of everybody else
	upBearing                       // the end of the starts that are under way
	upRecalling                     // those who ask workers: the end of a command is not heard when nothing happens
	upAlone                         // nothing
	upHolding                       // that nothing happens any more
	upHeld                          // nothing: it is made
)

// hushTime is how long others may take to finish what they are at; see Upgrader.Hush.
const hushTime = 2 * time.Second

// beginUpgrade asks the next program. Its opinion is about the state as it is now; what comes on top of it until it is its
// turn has the same form.
func (s *Supervisor) beginUpgrade(path string, reply replier) {
	refuse := func(err error) { reply.give(Verdict{Err: fmt.Errorf("cannot upgrade: %w: %w", ErrUpgrade, err)}) }
	switch up := s.cfg.World.Upgrader; {
	case s.leaving:
		refuse(ErrStopped)
	case up == nil:
		refuse(errNoUpgrade)
	case s.upgrade != nil:
		refuse(errUnderWay)
	default:
		s.log.Info().Str(keyProgram, path).Msg("upgrade begins")
		s.askNext(&upgrade{path: path, reply: reply})
	}
}

// askNext has the next program asked, beside the loop.
func (s *Supervisor) askNext(u *upgrade) {
	up := s.cfg.World.Upgrader
	s.upgrade, u.begun = u, time.Now()
	u.ctx, u.cancel = context.WithCancel(s.ctx)
	s.systemd.reloading()
	state := s.hand()
	s.goOn(func() {
		m := upgradeMoved{upgrade: u, to: upQueueing}
		if u.maybe && !up.Changed() {
			m.err = errUnchanged
		} else {
			m.next, m.err = up.Check(u.ctx, u.path, state)
		}
		s.mail.post(m)
	})
}

// reloadsAsUpgrade reports whether a reload is left to another program that may have been installed: this one does it if
// there is none, or if that cannot go on.
func (s *Supervisor) reloadsAsUpgrade() bool {
	if !s.cfg.UpgradeOnReload || s.cfg.World.Upgrader == nil || s.leaving || s.upgrade != nil {
		return false
	}
	s.askNext(&upgrade{maybe: true, reply: s.nobody(), signals: []os.Signal{syscall.SIGHUP}})
	return true
}

var errUnchanged = errors.New("there is no other program")

// upgradeMoved goes on with an upgrade.
func (s *Supervisor) upgradeMoved(m upgradeMoved) {
	switch u := s.upgrade; {
	case u != m.upgrade: // it was given up
	case m.err != nil:
		s.endUpgrade(m.err)
	default:
		u.stage = m.to
		if m.to == upQueueing {
			u.next = m.next
			s.log.Info().Str(keyProgram, m.next.Path).Str(keyVersion, m.next.Version).Msg("the next program can go on from here")
		}
	}
}

// advanceUpgrade takes the upgrade at hand as far as it comes now. It is called when all news has been dealt with.
func (s *Supervisor) advanceUpgrade() {
	u, up := s.upgrade, s.cfg.World.Upgrader
	if u == nil {
		return
	}
	if s.leaving {
		s.endUpgrade(ErrStopped)
		return
	}
	switch u.stage {
	case upAsking, upHushing, upRecalling, upHolding:
	case upQueueing:
		if !s.isQuiet() {
			return
		}
		u.stage = upHushing
		s.pauseQuests()
		s.goOn(func() {
			ctx, cancel := context.WithTimeout(u.ctx, hushTime)
			defer cancel()
			up.Hush(ctx)
			s.mail.post(upgradeMoved{upgrade: u, to: upBearing})
		})
	case upBearing:
		if !s.isQuiet() || s.isBearing() {
			return
		}
		u.stage = upRecalling
		s.recall()
		s.goOn(func() { s.mail.post(upgradeMoved{upgrade: u, to: upAlone, err: s.areBack()}) })
	case upAlone:
		if !s.isQuiet() || s.isBearing() {
			s.resumeWatch(u, upBearing)
			return
		}
		u.stage = upHolding
		s.deaf() // they wait for the next program
		up.Hold(func() { s.mail.post(upgradeMoved{upgrade: u, to: upHeld}) })
	case upHeld:
		s.replace(u)
	}
}

// replace ends this program. What came while the others were being held is dealt with first; nothing comes after that.
func (s *Supervisor) replace(u *upgrade) {
	for batch := s.mail.rest(); len(batch) > 0; batch = s.mail.rest() {
		for _, msg := range batch {
			s.handle(msg)
		}
	}
	for _, p := range s.pools {
		p.steer()
	}
	switch {
	case s.upgrade != u:
		return
	case s.leaving || s.ended():
		s.endUpgrade(ErrStopped)
		return
	case !s.isQuiet():
		s.release(u)
		s.resumeWatch(u, upQueueing)
		s.bear()
		return
	}
	s.recall()
	if err := s.areBack(); err != nil {
		s.endUpgrade(err)
		return
	}
	s.publish()
	s.answer()
	s.log.Info().Str(keyProgram, u.next.Path).Str(keyVersion, u.next.Version).Msg("the next program takes over")
	s.guard.settle()
	s.endUpgrade(s.cfg.World.Upgrader.Replace(u.next, s.hand()))
}

// resumeWatch goes back to an earlier stage, at which workers are watched.
func (s *Supervisor) resumeWatch(u *upgrade, to upgradeStage) {
	u.stage = to
	s.watchAgain()
}

// release lets everything happen again.
func (s *Supervisor) release(u *upgrade) {
	s.cfg.World.Upgrader.Release()
	if u.stage >= upHolding {
		s.deaf = s.forwardSignals()
	}
}

// endUpgrade goes on as the same program: nothing has changed but that time has gone by.
func (s *Supervisor) endUpgrade(err error) {
	u := s.upgrade
	if u == nil {
		return
	}
	s.upgrade = nil
	u.cancel()
	if u.stage >= upHushing {
		s.release(u)
	}
	if !errors.Is(err, errUnchanged) {
		s.log.Error().Err(err).Msg("upgrade refused: this program goes on")
		u.reply.give(Verdict{Err: fmt.Errorf("cannot upgrade: %w: %w", ErrUpgrade, err)})
	}
	s.bear()
	if u.stage >= upRecalling {
		s.watchAgain()
	}
	for _, sig := range u.signals {
		s.obey(sig)
	}
	s.systemd.reloaded() // a reload may have begun, and is part of it
}

// defers reports whether a signal is left for the next program. One that ends everything is not, and ends the upgrade.
func (s *Supervisor) defers(sig os.Signal) bool {
	u := s.upgrade
	if u == nil || u.stage < upHushing || sig == syscall.SIGTERM || sig == syscall.SIGINT {
		return false
	}
	u.signals = append(u.signals, sig)
	return true
}
