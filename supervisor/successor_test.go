package supervisor

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"syscall"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// fakeUpgrader has a stage go on with another supervisor, which knows nothing but what the one before has written down.
type fakeUpgrader struct {
	stage   *stage
	refused error // by the next program
	failed  error // it cannot be executed
	changed bool
	change  func(*Handed, *Config) // of what the next program is told, and has
	hush    chan struct{}          // if not nil, the others fall silent when it is closed
	done    int
	holds   bool
}

// fail says whether the next upgrade does not come about, and for whose sake.
func (u *fakeUpgrader) fail(fails, refused bool) {
	u.refused, u.failed = nil, nil
	switch {
	case fails && refused:
		u.refused = ErrUpgrade
	case fails:
		u.failed = syscall.ENOEXEC
	}
}

func (u *fakeUpgrader) Check(_ context.Context, path string, state Handed) (Successor, error) {
	next := Successor{Path: path, Version: "next"}
	if u.refused != nil {
		return next, u.refused
	}
	again, err := throughJSON(&state)
	if err != nil {
		return next, err
	}
	return next, CheckHanded(again)
}

func throughJSON(state *Handed) (*Handed, error) {
	text, err := json.Marshal(state)
	if err != nil {
		return nil, err
	}
	again := &Handed{}
	return again, json.Unmarshal(text, again)
}

func (u *fakeUpgrader) Changed() bool { return u.changed }

func (u *fakeUpgrader) Hush(context.Context) {
	if u.hush != nil {
		<-u.hush
	}
}

func (u *fakeUpgrader) Hold(held func()) {
	u.stage.world.still.Lock()
	u.holds = true
	go held()
}

func (u *fakeUpgrader) Release() {
	if u.holds {
		u.holds = false
		u.stage.world.still.Unlock()
	}
}

// Replace ends the goroutine of the loop, as an execution would.
func (u *fakeUpgrader) Replace(next Successor, state Handed) error {
	if u.failed != nil {
		return u.failed
	}
	s, old := u.stage, u.stage.sup
	if all := s.world.chores(); len(all) > 0 {
		s.t.Errorf("nobody would know of these any more: %v", all)
	}
	handed, err := throughJSON(&state)
	if err != nil {
		s.t.Error(err)
		return err
	}
	cfg := old.cfg
	if u.change != nil {
		u.change(handed, &cfg)
	}
	cfg.Handed, cfg.Version, cfg.Desired = handed, next.Version, plan.Desired{}
	cfg.World.Sockets = oldSockets{s.world}
	sup, err := New(cfg)
	if err != nil {
		s.t.Error(err)
		return err
	}
	sup.cfg.World.Sockets = fakeSockets{s.world}
	u.done++
	s.mu.Lock()
	s.sup = sup
	over := s.die
	s.over, s.die = context.WithCancel(context.Background())
	s.mu.Unlock()
	u.Release()
	over()
	old.vanish()
	go func() { s.code <- sup.Run(s.signals) }()
	runtime.Goexit()
	return nil
}

// now is the supervisor at hand, and a context that ends with its program.
func (s *stage) now() (*Supervisor, context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sup, s.over
}

// vanish ends what an execution would end.
func (s *Supervisor) vanish() {
	s.cancel()
	s.mail.close()
	s.gauge.close()
	s.observer.close()
	for _, p := range s.pools {
		for _, t := range p.timers {
			t.Stop()
		}
		for _, t := range p.rounds {
			if t != nil {
				t.Stop()
			}
		}
	}
	close(s.quit)
	s.systemd.close()
}

// oldSockets finds the listeners of the supervisor before.
type oldSockets struct{ world *world }

func (o oldSockets) Open(wants []listener.Want) ([]Listener, error) {
	o.world.mu.Lock()
	defer o.world.mu.Unlock()
	var all []Listener
	for i := range wants {
		found := false
		for _, l := range o.world.listeners {
			l.mu.Lock()
			if !l.closed && plan.KeyOf(&l.cfg) == plan.KeyOf(&wants[i].Config) {
				all, found = append(all, l), true
			}
			l.mu.Unlock()
		}
		if !found {
			return nil, fmt.Errorf("there is no listener %s", wants[i].Config.Name)
		}
	}
	return all, nil
}

// heir takes over what workers have: that is the world's all along.
func (w *world) heir() Heir {
	return Heir{
		Process: func(h worker.HandedProcess, a worker.Adopted) (Process, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			p := w.procs[h.PID-firstPID]
			p.cmd.OnExit, p.cmd.OnGone = a.OnExit, a.OnGone
			p.notify = w.notifies[p.env("NOTIFY_SOCKET")]
			return p, nil
		},
		Notify: func(h worker.HandedNotify, on func(handshake.Message, error)) (Notify, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.notifies[h.Address] = on
			return fakeNotify(h.Address), nil
		},
		Output: func(h HandedOutput, _ Speaker, _ plan.Log) (Output, error) { return fakeOutput(h.Handle), nil },
	}
}
