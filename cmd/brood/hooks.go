package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/hooks"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/host"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

const (
	// hooksTime is how long the end waits until hooks have been told of it.
	hooksTime = 5 * time.Second
	// hooksForced is the same of an end that somebody has forced: he does not wait, and a program that works is told.
	hooksForced = 250 * time.Millisecond
)

// hookRunner tells those that the configuration names of what happens.
type hookRunner struct {
	opt    hooks.Options
	sup    *supervisor.Supervisor
	runner *hooks.Runner
	places []hooks.Place // where they are, while it pauses
}

// startHooks begins with what happens from now on, or where the program before was.
func startHooks(set *settings, sup *supervisor.Supervisor, h *host.Host) error {
	if len(set.cfg.Hooks) == 0 {
		return nil
	}
	name, err := os.Hostname()
	if err != nil {
		name = "localhost"
	}
	log := h.Log()
	r := &hookRunner{sup: sup, opt: hooks.Options{
		Feed: sup.Events(), Name: set.cfg.Name, Host: name, Start: strconv.FormatInt(sup.Published().Started.UnixMilli(), 10),
		Report: func(hook string, dropped int, err error) {
			log.Warn().Err(err).Str("hook", hook).Int("count", dropped).Msg("events not delivered")
		},
	}}
	if _, err := h.Handed(partHooks, &r.opt.From); err != nil {
		return err
	}
	for i := range set.cfg.Hooks {
		r.opt.Hooks = append(r.opt.Hooks, hookOf(&set.cfg.Hooks[i], h.World()))
	}
	r.runner = hooks.Start(r.opt)
	h.Keep(partHooks, r)
	h.AtEnd(r.end)
	return nil
}

// end tells of what is left; a termination among the signals ends its waiting.
func (r *hookRunner) end(signals <-chan os.Signal) {
	patience := hooksTime
	if r.sup.Forced() {
		patience = hooksForced
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	var watching sync.WaitGroup
	watching.Go(func() { endEarly(ctx, cancel, signals) })
	r.runner.Close(ctx)
	cancel()
	watching.Wait()
}

// Pause is of host.Part, as are the next ones.
func (r *hookRunner) Pause(ctx context.Context) { r.places = r.runner.Hand(ctx) }

// Resume goes on where Pause was.
func (r *hookRunner) Resume() {
	again := r.opt
	again.From = r.places
	r.runner = hooks.Start(again)
}

// Hand tells where they are.
func (r *hookRunner) Hand(context.Context, func(string) bool) (any, []int, error) {
	return r.places, nil, nil
}

// Settle has nothing to close.
func (r *hookRunner) Settle() {}

// endEarly cancels what waits as soon as somebody asks again for the end.
func endEarly(ctx context.Context, cancel context.CancelFunc, signals <-chan os.Signal) {
	for {
		select {
		case sig := <-signals:
			if sig == syscall.SIGTERM || sig == syscall.SIGINT {
				cancel()
			}
		case <-ctx.Done():
			return
		}
	}
}

func hookOf(c *config.Hook, world supervisor.World) hooks.Hook {
	h := hooks.Hook{
		Name: c.Name, Kinds: c.Kinds, Pools: c.Pools, States: c.States, Causes: c.Causes,
		Timeout: c.Timeout, Attempts: c.Attempts, Queue: c.Queue,
	}
	if len(c.Exec) > 0 {
		command := &hooks.Command{Argv: c.Exec, Run: func(ctx context.Context, argv, env []string, stdin []byte) error {
			return runHook(ctx, world, c.Name, argv, env, stdin)
		}}
		h.Deliver = command.Deliver
		return h
	}
	web := &hooks.Webhook{URL: c.URL, Headers: c.Headers, TokenFile: c.TokenFile, UserAgent: "brood/" + version, Client: hooks.NewClient()}
	h.Deliver = web.Deliver
	return h
}

// runHook runs the program of a hook as the supervisor's own user, through the spawner of the workers, because one process
// must have one reaper. What it writes goes where the supervisor's own output goes.
func runHook(ctx context.Context, world supervisor.World, name string, argv, env []string, stdin []byte) error {
	in, err := stdinOf(stdin)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	output, err := world.OpenOutput(supervisor.Speaker{Pool: "on_event." + name, Slot: -1}, plan.Log{Mode: "auto"})
	if err != nil {
		return err
	}
	defer output.Close()
	cmd := worker.Command{
		Argv: argv, Env: append(worker.CleanEnviron(os.Environ()), env...),
		Stdin: int(in.Fd()), Stdout: output.Stdout(), Stderr: output.Stderr(),
	}
	err = world.Run(ctx, cmd, argv[0])
	output.Close() // so that its last words are there
	if last := output.Tail(1); err != nil && len(last) > 0 {
		return fmt.Errorf("%w: %s", err, last[0])
	}
	return err
}
