package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/supervisor/events"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
)

// Supervisor runs pools. Make one with New.
type Supervisor struct {
	cfg      Config
	log      zerolog.Logger
	mail     *mailbox
	desired  plan.Desired // what the pools are to be; replaced by a reload
	pools    []*pool
	house    *house
	systemd  *systemd
	observer *observer
	begun    time.Time
	seed     uint64 // of the jitter

	tenure      tenure
	guard       guard
	transaction *transaction // the reload at hand
	upgrade     *upgrade     // the one at hand
	patience    func()       // ends the asking of systemd for time; nil if nobody asks
	resumed     *Handed      // where another program was when this one took over; nil if there was none, and after that
	past        pastAnswers  // to requests that this one took over
	signals     <-chan os.Signal
	deaf        func()    // ends their way to the loop
	looking     int       // how many look something up for a request beside the loop
	reloads     []replier // who wants another one behind it
	config      ConfigView

	feed      *events.Feed
	gauge     gauge
	snapshot  atomic.Pointer[Snapshot]
	document  atomic.Pointer[json.RawMessage]
	changed   atomic.Pointer[chan struct{}] // closed when the snapshot is not the newest any more
	pending   sync.WaitGroup                // goroutines that probe, survey and prepare
	couriers  crew                          // those that signal workers
	inquiries inquiries                     // for what pools require
	probing   crew                          // those that probe: some of pending
	quit      chan struct{}                 // closed when the loop has ended
	ctx       context.Context               //nolint:containedctx // ends with the stop, for everything that is done beside the loop
	cancel    context.CancelFunc
	leaving   bool // everything is to end
	forGood   bool // and nobody comes after us
	terms     int  // terminations received
	forced    bool // somebody had everything killed
	code      int  // what we end with, if no pool says worse
	told      bool // systemd knows that we stop
	wasReady  bool // every slot has been ready once

	calmGC  int // the garbage collector's target after the start
	press   press
	answers []func()  // to requests, given when what they say can be seen
	unread  []message // that came too late
}

var errNoPools = errors.New("there is no pool")

// New checks the configuration, opens the listeners and prepares a supervisor. No worker is started yet. Errors are
// those of the listeners, *listener.OpenError, and of the recipes, which wrap worker.ErrRecipe.
func New(cfg Config) (*Supervisor, error) {
	if len(cfg.Desired.Pools) == 0 && cfg.Handed == nil {
		return nil, fmt.Errorf("cannot supervise: %w", errNoPools)
	}
	for i := range cfg.Desired.Pools {
		if err := cfg.Desired.Pools[i].Spec.Validate(); err != nil {
			return nil, fmt.Errorf("cannot run pool %s: %w", cfg.Desired.Pools[i].Name, err)
		}
	}
	s := &Supervisor{
		cfg:     cfg,
		log:     cfg.Log,
		mail:    newMailbox(),
		desired: cfg.Desired,
		house:   newHouse(), feed: events.NewFeed(),
		quit:   make(chan struct{}),
		begun:  time.Now(),
		seed:   uint64(time.Now().UnixNano()),
		config: ConfigView{File: cfg.File, Loaded: time.Now()},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.systemd = newSystemd(cfg.World.Systemd)
	s.observer = newObserver(cfg.World, s.mail)
	prepare := s.furnish
	if cfg.Handed != nil {
		prepare = func() error { return s.takeOver(cfg.Handed) }
	}
	if err := prepare(); err != nil {
		s.abandon()
		return nil, err
	}
	s.putDocument()
	s.publish()
	if err := s.takeEvents(); err != nil {
		s.abandon()
		return nil, fmt.Errorf("cannot take over events: %w", err)
	}
	return s, nil
}

// abandon ends what New has begun.
func (s *Supervisor) abandon() {
	s.cancel()
	s.observer.close()
	s.systemd.close()
}

// furnish opens the listeners and makes the pools.
func (s *Supervisor) furnish() error {
	if _, err := s.house.furnish(s.cfg.World.Sockets, &s.desired); err != nil {
		return err
	}
	for i := range s.desired.Pools {
		cfg := &s.desired.Pools[i]
		seats, err := s.house.seats(&s.desired, cfg)
		if err != nil {
			return err
		}
		if err := canProbe(cfg, seats); err != nil {
			return err
		}
		e, err := s.cfg.World.newEdition(cfg, seats)
		if err != nil {
			return err
		}
		p := newPool(s, e)
		p.first = true
		s.pools = append(s.pools, p)
	}
	return nil
}

// Run starts the pools and serves until they have ended. Signals arrive on the channel, which Run never closes.
// It returns the exit code: 0 after a graceful stop with every process reaped, else 1.
func (s *Supervisor) Run(signals <-chan os.Signal) int {
	s.signals = signals
	s.deaf = s.forwardSignals()
	s.beatWatchdog()
	if s.resumed != nil {
		s.resume()
	} else {
		s.open()
	}
	s.beginTenure()
	s.publish()
	s.answer()
	for !s.ended() {
		batch := s.mail.take()
		for i, msg := range batch {
			s.press.note(msg)
			s.handle(msg)
			if s.ended() {
				s.unread = batch[i+1:]
				break
			}
		}
		s.stopDue()
		s.advance()
		s.startDue() // also what a reload has put back
		for _, p := range s.pools {
			p.steer()
			p.followLoad()
		}
		s.advanceUpgrade()
		s.publishSoon()
	}
	s.publish()
	s.answer()
	return s.finish()
}

// open starts the pools that wait for nobody.
func (s *Supervisor) open() {
	s.log.Info().Str(keyName, s.cfg.Name).Str(keyVersion, s.cfg.Version).Int(keyPID, os.Getpid()).Msg("supervisor started")
	s.sayWhatIsMissing(&s.desired)
	s.systemd.starting(s.startTimeout())
	s.beginRush()
	s.startDue()
}

// ended reports whether every pool has exited, and none is to come.
func (s *Supervisor) ended() bool {
	if s.transaction != nil && !s.leaving {
		return false
	}
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
