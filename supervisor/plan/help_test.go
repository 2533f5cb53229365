package plan_test

import (
	"math"
	"regexp"
	"time"

	"github.com/broodctl/brood/internal/probe"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// web is a sharded TCP listener.
func web(name string, port int) listener.Config {
	return listener.Config{
		Name: name, Mode: listener.Sharded,
		Address: listener.Address{Network: "tcp", Host: "127.0.0.1", Port: port},
	}
}

// socket is a shared unix socket.
func socket(name, path string) listener.Config {
	return listener.Config{Name: name, Address: listener.Address{Network: "unix", Path: path}, Mode: listener.Shared}
}

// pool is one that serves listeners.
func pool(name string, listen ...string) plan.Pool {
	return plan.Pool{
		Name:   name,
		Listen: listen,
		Recipe: worker.RecipeConfig{Argv: []string{name + "-server"}, Env: []worker.Var{{Name: "LEVEL", Value: "1"}}},
		Spec: machine.Spec{
			Workers: 2, MaxSurge: 1, LastID: math.MaxInt32, Grace: 30 * time.Second, ReadyTimeout: time.Minute,
		},
	}
}

// probing is a probe that has compiled its own expression.
func probing(path string) *plan.Probe {
	return &plan.Probe{Config: probe.Config{Kind: probe.HTTP, Path: path, Body: regexp.MustCompile("^ok$")}}
}

// asked is a pool whose workers are asked whether they live.
func asked(name string, listen ...string) plan.Pool {
	p := pool(name, listen...)
	p.Health.Liveness = probing("/livez")
	p.Health.Liveness.Body.MatchString("ok") // an expression that was used is the same one
	return p
}

// but is a pool in which something is different.
func but(p plan.Pool, change func(*plan.Pool)) plan.Pool {
	change(&p)
	return p
}

// after is a pool that comes after others.
func after(p plan.Pool, names ...string) plan.Pool {
	p.After = names
	return p
}

// command is a pool with another command: one that is rolled.
func command(p plan.Pool) plan.Pool {
	p.Recipe.Argv = []string{p.Name + "-server", "--new"}
	return p
}

// ids is a pool with worker ids of its own.
func ids(p plan.Pool, first, last int) plan.Pool {
	p.Spec.FirstID, p.Spec.LastID = first, last
	return p
}

func listeners(all ...listener.Config) []listener.Config { return all }

func desired(listeners []listener.Config, pools ...plan.Pool) plan.Desired {
	return plan.Desired{Listeners: listeners, Pools: pools}
}
