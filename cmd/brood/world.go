package main

import (
	"errors"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/rs/zerolog"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/logs"
	"github.com/broodctl/brood/internal/poll"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// newWorld is the real one.
func newWorld(spawner *worker.Spawner, poller *poll.Poller, output *logs.Mux) supervisor.World {
	var surveyor worker.Surveyor
	world := supervisor.World{
		Launch: func(cmd worker.Command, done func(supervisor.Process, error)) {
			spawner.Start(cmd, func(r worker.StartResult) {
				if r.Err != nil {
					done(nil, r.Err)
					return
				}
				done(r.Process, nil)
			})
		},
		OpenNotify: func(on func(handshake.Message, error)) (supervisor.Notify, error) {
			n, err := worker.OpenNotify(poller, os.Geteuid(), func(msg handshake.Message, _ int, err error) { on(msg, err) })
			if err != nil {
				return nil, err
			}
			return n, nil
		},
		OpenOutput: func(label string) (supervisor.Output, error) {
			stream, err := output.Open(label)
			if err != nil {
				return nil, err // not the nil *Stream, which is no nil Output
			}
			return stream, nil
		},
		Serving:     worker.Serving,
		ServingPort: worker.ServingPort,
		Handles:     surveyor.Handles,
	}
	if os.Getenv("NOTIFY_SOCKET") != "" {
		world.Systemd = func(state string) {
			_, _ = daemon.SdNotify(false, state) // a manager that does not listen has nothing to hear
		}
		world.WatchdogInterval = watchdogInterval()
	}
	return world
}

func watchdogInterval() time.Duration {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return 0
	}
	return interval
}

// newRecipe tries the templates with a worker that might be: what they name must exist before anything starts.
func newRecipe(set *settings, sockets *listener.Set) (*worker.Recipe, error) {
	sample := worker.Facts{Pool: set.name, Workers: set.spec.Workers, WorkerID: set.spec.FirstID, Generation: 1}
	for i, l := range sockets.Listeners() {
		sample.Listeners = append(sample.Listeners, worker.ListenerFact{
			Name: l.Name(), FD: 3 + i, Port: l.Port(0), Datagram: l.Datagram(), Addr: l.Address().HostPort(),
		})
	}
	return worker.NewRecipe(worker.RecipeConfig{
		Argv: set.argv, Env: set.env, InheritEnv: worker.CleanEnviron(os.Environ()), Dir: set.dir,
		WorkerIDEnv: set.idEnv, FDsEnv: set.fdsEnv,
	}, sample)
}

func listenersOf(sockets *listener.Set) []supervisor.Listener {
	var all []supervisor.Listener
	for _, l := range sockets.Listeners() {
		all = append(all, l)
	}
	return all
}

// logListener says what happened to a listener behind our back.
func logListener(log zerolog.Logger, ev listener.Event) {
	level, message := zerolog.WarnLevel, "listener is in trouble"
	switch ev.Kind {
	case listener.EventFellBack:
		message = "listener is shared: the kernel does not let us steer"
	case listener.EventRevived:
		message = "socket that a worker had shut down listens again"
	case listener.EventRelayed:
		level, message = zerolog.InfoLevel, "connections of a queue that nobody serves relayed to the others"
	case listener.EventRelayFailed:
		message = "cannot relay the queue of a worker that left"
	case listener.EventReviveFailed:
		message = "cannot revive a socket that a worker shut down"
	}
	log.WithLevel(level).Err(ev.Err).Str("listener", ev.Listener).Int("slot", ev.Slot).Stringer("side", ev.Side).
		Int("count", ev.Count).Msg(message)
}

// controlError says what to do about a control socket that cannot be had.
func controlError(err error) error {
	hint := "another place can be given with --control"
	if errors.Is(err, control.ErrTaken) {
		hint = "brood status shows it; another name can be given with --name"
	}
	return &userError{code: exitFailed, err: err, hint: hint}
}
