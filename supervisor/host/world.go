package host

import (
	"context"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/term"

	"github.com/broodctl/brood/internal/require"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// newWorld is the real one.
func (h *Host) newWorld() supervisor.World {
	var surveyor worker.Surveyor
	world := supervisor.World{
		Sockets: h.socketSet(),
		Launch: func(cmd worker.Command, done func(supervisor.Process, error)) {
			h.spawner.Start(cmd, func(r worker.StartResult) {
				if r.Err != nil {
					done(nil, r.Err)
					return
				}
				done(r.Process, nil)
			})
		},
		OpenNotify: func(on func(handshake.Message, error)) (supervisor.Notify, error) {
			n, err := worker.OpenNotify(h.poller, func(msg handshake.Message, _ int, err error) { on(msg, err) })
			if err != nil {
				return nil, err
			}
			return n, nil
		},
		PrivateTmp:  h.tmp.Next,
		OpenOutput:  openOutput(h.output, term.IsTerminal(syscall.Stdout)),
		Reopen:      h.output.Reopen,
		Serving:     worker.Serving,
		ServingPort: worker.ServingPort,
		Handles:     surveyor.Handles,
		CPUTime:     worker.CPUTime,
		Keep:        worker.Keep,
		Check:       check,
		Stopped:     worker.Stopped,
		Memory:      memory,
		Connections: worker.Connections,
		Census:      worker.Census,
		Connected:   connected,
		Doing:       worker.Doing,
		Deadman:     h.openDeadman,
	}
	world.Heir = h.newHeir()
	if h.opt.Upgradable {
		world.Upgrader = &upgrader{h: h}
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

func (h *Host) socketSet() supervisor.Sockets {
	if k := h.kept.Load(); k != nil {
		return keptSockets{set: h.sockets, kept: k}
	}
	return socketSet{h.sockets}
}

// socketSet is a listener.Set as the supervisor knows it.
type socketSet struct{ *listener.Set }

// Open opens all of them or none.
func (s socketSet) Open(wants []listener.Want) ([]supervisor.Listener, error) {
	opened, err := s.Set.Open(wants)
	if err != nil {
		return nil, err
	}
	all := make([]supervisor.Listener, len(opened))
	for i, l := range opened {
		all[i] = ownListener{l}
	}
	return all, nil
}

// ownListener is a listener.Listener whose queues end with us.
type ownListener struct{ *listener.Listener }

// Outlives is never so.
func (ownListener) Outlives(int, listener.Side) bool { return false }

// memory is what a worker's tree has, in bytes.
func memory(pid int) (uint64, error) {
	use, err := worker.Usage(pid)
	return use.Memory, err
}

// connected finds the connections of some ports.
func connected(ports []int) (func(members []int) (int, error), error) {
	found, err := worker.ReadConnected(ports)
	return found.Held, err
}

// check tries what a pool requires.
func check(ctx context.Context, timeout time.Duration, c supervisor.Checked) []error {
	var all []require.Requirement
	for _, text := range c.Requires {
		r, err := require.Parse(text)
		if err != nil {
			return []error{err} // read with the configuration, so it cannot be
		}
		all = append(all, r)
	}
	env := map[string]string{}
	for _, kv := range c.Env {
		if name, value, ok := strings.Cut(kv, "="); ok {
			env[name] = value
		}
	}
	unmet := require.All(ctx, timeout, all, require.World{
		Getenv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		Dir:    c.Dir, Run: c.Run,
	})
	errs := make([]error, len(unmet))
	for i, u := range unmet {
		errs[i] = u
	}
	return errs
}
