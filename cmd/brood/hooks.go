package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/internal/config"
	"github.com/broodctl/brood/internal/hooks"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

const (
	// hooksTime is how long the end waits until hooks have been told of it.
	hooksTime = 5 * time.Second
	// hooksForced is the same of an end that somebody has forced: he does not wait, and a program that works is told.
	hooksForced = 250 * time.Millisecond
)

// startHooks tells those that the configuration names of what happens from now on. The function ends that; a termination
// among the signals ends its waiting.
func startHooks(set *settings, sup *supervisor.Supervisor, world supervisor.World, log zerolog.Logger) (end func(<-chan os.Signal)) {
	if len(set.cfg.Hooks) == 0 {
		return func(<-chan os.Signal) {}
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	opt := hooks.Options{
		Feed: sup.Events(), Name: set.cfg.Name, Host: host, Start: strconv.FormatInt(sup.Published().Started.UnixMilli(), 10),
		Report: func(hook string, dropped int, err error) {
			log.Warn().Err(err).Str("hook", hook).Int("count", dropped).Msg("events not delivered")
		},
	}
	for i := range set.cfg.Hooks {
		opt.Hooks = append(opt.Hooks, hookOf(&set.cfg.Hooks[i], world))
	}
	runner := hooks.Start(opt)
	return func(signals <-chan os.Signal) {
		patience := hooksTime
		if sup.Forced() {
			patience = hooksForced
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		var watching sync.WaitGroup
		watching.Go(func() { endEarly(ctx, cancel, signals) })
		runner.Close(ctx)
		cancel()
		watching.Wait()
	}
}

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
