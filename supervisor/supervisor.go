package supervisor

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/supervisor/machine"
)

// Supervisor runs pools. Make one with New.
type Supervisor struct {
	cfg      Config
	log      zerolog.Logger
	mail     *mailbox
	pools    []*pool
	systemd  *systemd
	observer *observer
	begun    time.Time

	snapshot atomic.Pointer[Snapshot]
	pending  sync.WaitGroup // goroutines that probe and survey
	quit     chan struct{}  // closed when the loop has ended
	told     bool           // systemd knows that we stop
	wasReady bool           // every slot has been ready once

	calmGC       int       // the garbage collector's target after the start
	publishAfter time.Time // the next snapshot is not made before
	publishing   bool      // a timer will see to it
	answers      []func()  // to requests, given when what they say can be seen
}

// New checks the configuration and prepares a supervisor. Nothing is started yet.
func New(cfg Config) (*Supervisor, error) {
	if len(cfg.Pools) == 0 {
		return nil, errors.New("cannot supervise: there is no pool")
	}
	for i := range cfg.Pools {
		if err := cfg.Pools[i].Spec.Validate(); err != nil {
			return nil, fmt.Errorf("cannot run pool %s: %w", cfg.Pools[i].Name, err)
		}
	}
	s := &Supervisor{
		cfg:   cfg,
		log:   cfg.Log,
		mail:  newMailbox(),
		quit:  make(chan struct{}),
		begun: time.Now(),
	}
	s.systemd = newSystemd(cfg.World.Systemd)
	s.observer = newObserver(cfg.World, s.mail)
	for i := range cfg.Pools {
		s.pools = append(s.pools, newPool(s, cfg.Pools[i]))
	}
	s.publish()
	return s, nil
}

// Run starts the pools and serves until they have ended. Signals arrive on the channel, which Run never closes.
// It returns the exit code: 0 after a graceful stop with every process reaped, else 1.
func (s *Supervisor) Run(signals <-chan os.Signal) int {
	s.log.Info().Str(keyName, s.cfg.Name).Str(keyVersion, s.cfg.Version).Int(keyPID, os.Getpid()).Msg("supervisor started")
	s.forwardSignals(signals)
	s.beatWatchdog()
	s.systemd.starting(s.startTimeout())
	s.beginRush()
	for _, p := range s.pools {
		p.begin()
	}
	s.publish()
	for !s.ended() {
		for _, msg := range s.mail.take() {
			s.handle(msg)
			if s.ended() {
				break
			}
		}
		for _, p := range s.pools {
			p.steer()
		}
		s.publishSoon()
	}
	s.publish()
	s.answer()
	return s.finish()
}

// ended reports whether every pool has exited.
func (s *Supervisor) ended() bool {
	for _, p := range s.pools {
		if p.st.Phase != machine.Exited {
			return false
		}
	}
	return true
}

// anyServing reports whether a pool is not on its way out.
func (s *Supervisor) anyServing() bool {
	for _, p := range s.pools {
		if p.st.Phase == machine.Serving {
			return true
		}
	}
	return false
}

func (s *Supervisor) finish() int {
	code := 0
	for _, p := range s.pools {
		code = max(code, p.code)
		p.close()
	}
	close(s.quit)
	s.answer()
	for _, msg := range s.mail.close() {
		if r, ok := msg.(requested); ok {
			r.reply(Verdict{Err: ErrStopped})
		}
	}
	s.observer.close()
	s.pending.Wait()
	s.log.Info().Int(keyCode, code).Msg("supervisor ended")
	s.systemd.close()
	return code
}

// handle is the one switch over everything that can happen.
func (s *Supervisor) handle(msg message) {
	switch m := msg.(type) {
	case started:
		m.pool.started(m)
	case exited:
		m.pool.exited(m)
	case gone:
		m.pool.gone(m.ref)
	case told:
		m.pool.told(m)
	case proven:
		m.pool.ready(m.ref, m.how)
	case unproven:
		if rec := m.pool.workers[m.ref]; rec != nil {
			rec.probe = m.err
		}
	case timerEnded:
		m.pool.timerEnded(m)
	case surveyed:
		m.pool.surveyed(m)
	case signalled:
		s.signalled(m.sig)
	case publishDue:
		s.publishing = false // the batch that this came with is published
	case watchdogDue:
		s.systemd.alive()
	case requested:
		s.serve(m.req, func(v Verdict) {
			s.answers = append(s.answers, func() { m.reply(v) })
		})
	default:
		panic(fmt.Sprintf("supervisor: unknown message %T", msg))
	}
}

// goOn runs f beside the loop. The supervisor waits for it at its end, so f must watch quit.
func (s *Supervisor) goOn(f func()) {
	s.pending.Go(f)
}
