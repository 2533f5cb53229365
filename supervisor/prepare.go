package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/broodctl/brood/internal/redact"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// ErrRequirement is in the chain of every error about something that a pool requires and that is not there.
var ErrRequirement = errors.New("requirement does not hold")

// ErrPreStart is in the chain of every error about a pre_start command that failed.
var ErrPreStart = errors.New("pre_start failed")

// turn is whose turn it is to run the one-shot commands of a pool: nobody runs a migration twice at once.
type turn chan struct{}

// take waits for the turn, and reports whether it came before ctx ended.
func (t turn) take(ctx context.Context) bool {
	select {
	case t <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (t turn) give() { <-t }

// setback is why something cannot be started, with the last words of the command that is to blame.
type setback struct {
	errs  []error
	lines []string
}

func (b *setback) verdict() Verdict { return Verdict{Err: errors.Join(b.errs...), Lines: b.lines} }

// makeReady sees to what a generation needs before its first worker: that what it requires is there, and that its one-shot
// commands have been run. It blocks, and is for goroutines beside the loop. Nil is success.
func (s *Supervisor) makeReady(ctx context.Context, e *edition, generation uint64) *setback {
	if b := s.require(ctx, e, generation, e.cfg.RequiresTimeout); b != nil {
		return b
	}
	return s.preStart(ctx, e, generation)
}

// require checks what a pool requires.
func (s *Supervisor) require(ctx context.Context, e *edition, generation uint64, timeout time.Duration) *setback {
	if len(e.cfg.Requires) == 0 || s.cfg.World.Check == nil {
		return nil
	}
	cmd, err := s.chore(e, generation, "")
	if err != nil {
		return &setback{errs: []error{err}}
	}
	checked := Checked{
		Requires: e.cfg.Requires, Env: cmd.Env, Dir: cmd.Dir,
		Run: func(ctx context.Context, command string) error {
			run := cmd
			run.Argv = shell(command)
			return s.cfg.World.Run(ctx, run, "requirement")
		},
	}
	var unmet []error
	err = s.inquiries.run(ctx, func(ctx context.Context) error {
		unmet = s.cfg.World.Check(ctx, timeout, checked)
		return errors.Join(unmet...)
	})
	switch {
	case err == nil:
		return nil
	case len(unmet) == 0: // it never came to that
		unmet = []error{err}
	}
	b := &setback{}
	for _, err := range unmet {
		b.errs = append(b.errs, fmt.Errorf("cannot start pool %s: %w: %w", e.cfg.Name, ErrRequirement, err))
	}
	return b
}

// requireAsIs is require for a pool whose workers stay, and only what they require is new.
func (s *Supervisor) requireAsIs(ctx context.Context, cfg *plan.Pool, seats []seat) *setback {
	e := &edition{cfg: cfg, listeners: seats}
	var err error
	if e.recipe, err = worker.NewRecipe(cfg.Recipe, e.sample(1)); err != nil {
		return &setback{errs: []error{err}}
	}
	return s.require(ctx, e, 1, cfg.RequiresTimeout)
}

// preStart runs the one-shot commands of a pool, one after another.
func (s *Supervisor) preStart(ctx context.Context, e *edition, generation uint64) *setback {
	for _, command := range e.cfg.PreStart {
		if b := s.preStartOne(ctx, e, generation, command); b != nil {
			return b
		}
	}
	return nil
}

func (s *Supervisor) preStartOne(ctx context.Context, e *edition, generation uint64, command string) *setback {
	fail := func(err error, lines []string) *setback {
		return &setback{errs: []error{fmt.Errorf("cannot start pool %s: %w: %s: %w", e.cfg.Name, ErrPreStart, redact.Text(command), err)}, lines: lines}
	}
	cmd, err := s.chore(e, generation, command)
	if err != nil {
		return fail(err, nil)
	}
	output, err := s.cfg.World.OpenOutput(Speaker{Pool: e.cfg.Name, Slot: -1}, e.cfg.Log)
	if err != nil {
		return fail(err, nil)
	}
	defer output.Close()
	if cmd.As != nil {
		if err := output.GiveTo(cmd.As.UID, cmd.As.GID); err != nil {
			return fail(err, nil)
		}
	}
	cmd.Stdout, cmd.Stderr = output.Stdout(), output.Stderr()
	begun := time.Now()
	log := s.log.With().Str(keyPool, e.cfg.Name).Str(keyCommand, redact.Text(command)).Logger()
	log.Info().Msg("pre_start begins")
	defer s.systemd.patience()()
	if err := s.cfg.World.Run(ctx, cmd, "command"); err != nil {
		output.Close()
		return fail(err, output.Tail(lastLines))
	}
	log.Info().Dur(keyAge, time.Since(begun).Round(time.Millisecond)).Msg("pre_start done")
	return nil
}

// chore is a command that is run once in the place of a pool's workers: their environment, directory and user, but
// neither their sockets nor the name of one of them.
func (s *Supervisor) chore(e *edition, generation uint64, command string) (worker.Command, error) {
	made, err := e.recipe.Build(e.sample(generation))
	if err != nil {
		return worker.Command{}, err
	}
	own := append([]string{"BROOD_SLOT", "BROOD_WORKER_ID"}, e.cfg.Recipe.WorkerIDEnv...)
	return s.cfg.World.chore(made, e.cfg, command, own)
}

// chore makes the command from what the recipe gave, without the variables that are of one worker.
func (w World) chore(made worker.Rendered, cfg *plan.Pool, command string, without []string) (worker.Command, error) {
	as, err := made.Identify()
	if err != nil {
		return worker.Command{}, err
	}
	without = append(slices.Clone(without), cfg.Recipe.FDsEnv...)
	env := slices.DeleteFunc(made.Env, func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return name == "NOTIFY_SOCKET" || name == "BROOD_FDS" || strings.HasPrefix(name, "LISTEN_") ||
			strings.HasPrefix(name, "WATCHDOG_") || slices.Contains(without, name)
	})
	cmd := worker.Command{
		Argv: shell(command), Env: env, Dir: made.Dir, As: as, Umask: cfg.Umask, Limits: cfg.Limits, Settings: cfg.Settings,
		Stdin: worker.DevNull, Stdout: worker.DevNull, Stderr: worker.DevNull,
	}
	return cmd, nil
}

func shell(command string) []string { return []string{"/bin/sh", "-c", command} }

// checkCommand is a command, still to be said, that is run in the worker's own environment, in a process group of its own. It goes
// through the same spawner as the workers, because one process must have one reaper.
func (p *pool) checkCommand(rec *record) (worker.Command, error) {
	facts, _ := p.facts(rec)
	made, err := rec.edition.recipe.Build(facts)
	if err != nil {
		return worker.Command{}, err
	}
	made.Env = append(made.Env, "BROOD_PID="+strconv.Itoa(rec.proc.PID()))
	return p.sup.cfg.World.chore(made, rec.edition.cfg, "", nil)
}

// Run runs a command and waits for it; with the context it is killed. what names it in errors.
func (w World) Run(ctx context.Context, cmd worker.Command, what string) error {
	type result struct {
		proc Process
		err  error
	}
	begun, ended := make(chan result, 1), make(chan worker.Exit, 1)
	cmd.OnExit = func(e worker.Exit) { ended <- e }
	w.Launch(cmd, func(proc Process, err error) { begun <- result{proc, err} })
	r := <-begun
	if r.err != nil {
		return r.err
	}
	select {
	case e := <-ended:
		if e.Remains {
			_ = r.proc.SignalGroup(syscall.SIGKILL) // a chore leaves nobody behind
		}
		if !e.Success() {
			return fmt.Errorf("%s ended with %s", what, e)
		}
		return nil
	case <-ctx.Done():
		_ = r.proc.SignalGroup(syscall.SIGKILL)
		if e := <-ended; e.Remains {
			_ = r.proc.SignalGroup(syscall.SIGKILL)
		}
		return fmt.Errorf("%s: %w", what, ctx.Err())
	}
}
