package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

var (
	// ErrUnclean tells that a supervisor has ended without having been stopped: a pool could not start or gave up, or
	// somebody had everything killed. The log says which.
	ErrUnclean = errors.New("the supervisor did not end by a graceful stop")

	errThread       = errors.New("this is not the main thread: call runtime.LockOSThread in a func init, and Run from main")
	errUnsupervised = errors.New("there is nothing to run: call Supervise first")
)

// Supervise opens the listeners and prepares a supervisor: all that can be wrong with a description is told here, what does
// not fit together first, then in the errors of supervisor.New. No worker is started yet. An environment that a pool does not say is that of this process, and
// "*" among the listeners of a pool stands for every socket of systemd's that no listener takes.
func (h *Host) Supervise(first plan.Desired) (*supervisor.Supervisor, error) {
	sup, err := h.supervise(first)
	if err != nil {
		return nil, h.GiveBack(err)
	}
	return sup, nil
}

func (h *Host) supervise(first plan.Desired) (*supervisor.Supervisor, error) {
	if err := fit(&first); err != nil {
		return nil, err
	}
	if err := h.openSockets(); err != nil {
		return nil, err
	}
	var err error
	if h.spawner, err = worker.NewSpawner(worker.Options{Poller: h.poller}); err != nil {
		return nil, err
	}
	h.world = h.newWorld()
	closeGroups, err := h.openGroups()
	if err != nil {
		return nil, err
	}
	h.atClose(closeGroups)
	shared := first.Coordination
	if h.doc != nil {
		shared = h.doc.Supervisor.Desired.Coordination
	}
	if err := h.openPlaces(shared); err != nil {
		return nil, err
	}
	if h.opt.Load != nil {
		h.world.Load = func() (plan.Desired, error) {
			d, err := h.opt.Load()
			if err == nil {
				err = fit(&d)
			}
			if err != nil {
				return plan.Desired{}, err
			}
			return h.spares.fill(d), nil
		}
	}
	for i := range first.Pools {
		p := &first.Pools[i]
		h.output.Widen(len(fmt.Sprintf("%s.%d", p.Name, p.MostWorkers()-1)))
	}
	cfg := supervisor.Config{Name: h.opt.Name, Version: h.opt.Version, Log: h.log, World: h.world, File: h.opt.File, UpgradeOnReload: h.opt.UpgradeOnReload}
	if h.doc != nil {
		cfg.Handed = &h.doc.Supervisor
	} else {
		cfg.Desired = h.spares.fill(first)
	}
	sup, err := supervisor.New(cfg)
	if err != nil {
		return nil, err
	}
	h.closeUnclaimed()
	for _, l := range h.sockets.Spare(nil) {
		h.log.Warn().Str("listener", l.Name).Msg("a socket that systemd passed is used by no pool")
	}
	h.sup.Store(sup)
	if h.socket != nil {
		server := control.Serve(h.socket, sup, control.Options{Logs: h.output, Log: h.log})
		h.atClose(server.Close)
	}
	return sup, nil
}

// openSockets takes the sockets of the service manager, or those of the program before.
func (h *Host) openSockets() error {
	var taken []listener.Config
	if h.doc == nil {
		if err := h.claimSockets(); err != nil {
			return err
		}
	} else {
		taken = h.doc.Taken
		if err := h.inheritSockets(); err != nil {
			return err
		}
	}
	h.spares = &spares{set: h.sockets, passed: append(h.sockets.Spare(nil), taken...), taken: taken}
	return nil
}

// inheritSockets takes over those of the program before.
func (h *Host) inheritSockets() error {
	var err error
	h.sockets, err = listener.Restore(h.doc.Sockets, listener.Options{Poller: h.poller, Report: h.report})
	if err != nil {
		return err
	}
	h.atClose(h.closeSockets)
	return h.inheritStore()
}

// AtEnd has f called in Run when the last worker has ended, while commands can still be run. Further signals come to f.
// It is said before Run, once; without it nothing is done.
func (h *Host) AtEnd(f func(signals <-chan os.Signal)) { h.atEnd = f }

// Run starts the workers, and returns when all have ended: after a signal, a request, or the end of ctx, which is a request
// to stop. The error is nil after a graceful stop, and ErrUnclean after any other end. It must be called on the main thread.
func (h *Host) Run(ctx context.Context) error {
	if syscall.Gettid() != os.Getpid() {
		return fmt.Errorf("cannot run supervisor: %w", errThread)
	}
	sup := h.sup.Load()
	if sup == nil {
		return fmt.Errorf("cannot run supervisor: %w", errUnsupervised)
	}
	runtime.LockOSThread() // for whoever has not
	h.settle()
	h.kept.Load().begin(h.storeLimit)
	code, done := 0, make(chan struct{})
	go func() {
		defer close(done) // with it the spawner ends, which the last commands need
		code = sup.Run(h.signals)
		if h.atEnd != nil {
			h.atEnd(h.signals)
		}
	}()
	defer context.AfterFunc(ctx, func() { // ends with the loop at the latest
		sup.Do(context.Background(), supervisor.Request{Verb: supervisor.Stop, UID: supervisor.Nobody})
	})()
	if err := h.spawner.Main(done); err != nil {
		sup.Do(context.Background(), supervisor.Request{Verb: supervisor.Kill, UID: supervisor.Nobody})
		<-done
		return err
	}
	if code != 0 {
		return ErrUnclean
	}
	return nil
}
