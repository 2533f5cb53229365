package worker

import (
	"errors"
	"fmt"
)

// Var is one environment variable of a recipe. The value is a template.
type Var struct{ Name, Value string }

// RecipeConfig is what a user says about a pool's command.
type RecipeConfig struct {
	// Argv is the program and its arguments: templates.
	Argv []string
	// Env is what the user sets. It overrides InheritEnv, and of several
	// variables with one name the last counts.
	Env []Var
	// InheritEnv is the supervisor's environment, as CleanEnviron leaves it.
	InheritEnv []string
	// Dir is the working directory, a template; empty is the supervisor's.
	Dir string
	// User and Group are names or numbers, and templates. Empty is the supervisor's
	// own; a user alone brings its primary group. Groups are supplementary ones
	// beside those of the user.
	User, Group string
	Groups      []string
	// WorkerIDEnv and FDsEnv are further names for BROOD_WORKER_ID and BROOD_FDS.
	WorkerIDEnv, FDsEnv []string
	// Direct leaves out whatever has to contain the worker's own pid (the
	// LISTEN_ variables and WATCHDOG_PID), so that the command can do without
	// Command.ListenPID. Descriptors are still passed, and named by BROOD_FDS.
	Direct bool
}

// Facts are what one worker is told about itself; the data of the templates.
type Facts struct {
	Pool                    string
	Slot, Workers, WorkerID int
	Generation              uint64
	Leader                  bool // of its pool; see handshake.EnvLeader
	// Fence and LeaderFence are of its claims to its worker id and to lead; 0 where
	// there are none.
	Fence, LeaderFence uint64
	Listeners          []ListenerFact
	// NotifySocket is the address of the worker's Notify; empty is none.
	NotifySocket string
	// TmpDir is the worker's own directory for temporary files; empty is none.
	TmpDir string
	// WatchdogUsec is how often the worker must say that it is alive, in
	// microseconds; 0 is never.
	WatchdogUsec uint64
}

// ListenerFact is one listener as a worker sees it.
type ListenerFact struct {
	Name string
	// FD is its number in the worker, counting from 3 without a gap; -1 if the
	// worker has to bind by itself.
	FD int
	// Port is 0 for unix sockets.
	Port int
	// Datagram tells UDP, whose port does not count for PORT.
	Datagram bool
	// Addr is host:port or a path.
	Addr string
}

// Recipe makes the command of each worker of a pool. It is immutable.
type Recipe struct {
	cfg         RecipeConfig
	argv        []text
	env         []namedText
	dir         text
	user, group text
}

type namedText struct {
	name  string
	value text
}

// ErrRecipe is in the chain of every error of NewRecipe: the user has to change
// the configuration.
var ErrRecipe = errors.New("bad command")

var errEmpty = errors.New("it is empty")

// NewRecipe parses the templates and tries them with the facts of a sample
// worker, so that a template that names nothing is found before anything starts.
// The error joins a *FieldError for each thing that is wrong.
func NewRecipe(cfg RecipeConfig, sample Facts) (*Recipe, error) {
	if len(cfg.Argv) == 0 {
		return nil, fmt.Errorf("%w: %w", ErrRecipe, &FieldError{Field: "command", Err: errEmpty})
	}
	r := &Recipe{cfg: cfg}
	errs := r.parse()
	errs = append(errs, r.checkNames()...)
	errs = append(errs, r.try(newData(sample))...)
	if len(errs) == 0 {
		if _, err := r.Build(sample); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("%w: %w", ErrRecipe, errors.Join(errs...))
	}
	return r, nil
}

// Rendered is what a recipe comes to for one worker.
type Rendered struct {
	Argv, Env []string
	Dir       string
	// User and Group are as in RecipeConfig, with the templates filled in.
	User, Group string
	Groups      []string

	inherited int // so many variables at the beginning of Env are the supervisor's own
}

// Build makes one worker's arguments, environment and place. It is pure. An
// environment with an empty LISTEN_PID or WATCHDOG_PID needs Command.ListenPID.
func (r *Recipe) Build(f Facts) (Rendered, error) {
	data := newData(f)
	b := Rendered{Groups: r.cfg.Groups}
	for _, t := range r.argv {
		arg, err := t.render(data)
		if err != nil {
			return Rendered{}, err
		}
		b.Argv = append(b.Argv, arg)
	}
	if b.Argv[0] == "" {
		return Rendered{}, r.argv[0].at.with(errEmpty)
	}
	for _, field := range []struct {
		into *string
		from text
	}{{&b.Dir, r.dir}, {&b.User, r.user}, {&b.Group, r.group}} {
		var err error
		if *field.into, err = field.from.render(data); err != nil {
			return Rendered{}, err
		}
	}
	var err error
	b.Env, b.inherited, err = r.environ(f, data)
	if err != nil {
		return Rendered{}, err
	}
	return b, nil
}
