package worker

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/broodctl/brood/worker/handshake"
)

// CleanEnviron returns environ without what belongs between the supervisor and
// its own parent: see handshake.Private. The argument is not changed.
func CleanEnviron(environ []string) []string {
	clean := make([]string, 0, len(environ))
	for _, v := range environ {
		name, _, _ := strings.Cut(v, "=")
		if !handshake.Private(name) {
			clean = append(clean, v)
		}
	}
	return clean
}

// environ puts a worker's environment together: what is inherited, then brood's
// own, then the user's. Each name occurs once, and the order depends on nothing
// but the recipe.
//
// PORT is the port of the first TCP listener unless the user set it. One that
// brood merely inherited counts as the user's only if there is no TCP listener:
// it was meant for the program that brood now stands in front of. TMPDIR, TMP and
// TEMP are the worker's own directory, if it has one, unless the user set them.
//
// The number of inherited ones tells which of them an identity may replace.
func (r *Recipe) environ(f Facts, d data) (env []string, inherited int, err error) {
	own, err := r.own(f)
	if err != nil {
		return nil, 0, err
	}
	set := make(map[string]bool, len(own)+len(r.env))
	for _, v := range r.env {
		set[v.name] = true
	}
	own = slices.DeleteFunc(own, func(v Var) bool { return set[v.Name] }) // PORT and those of TmpDir can be in both
	for _, v := range own {
		set[v.Name] = true
	}
	env = make([]string, 0, len(r.cfg.InheritEnv)+len(own)+len(r.env))
	for _, v := range r.cfg.InheritEnv {
		if name, _, _ := strings.Cut(v, "="); !set[name] {
			env = append(env, v)
		}
	}
	inherited = len(env)
	for _, v := range own {
		env = append(env, v.Name+"="+v.Value)
	}
	for _, v := range r.env {
		value, err := v.value.render(d)
		if err != nil {
			return nil, 0, err
		}
		env = append(env, v.name+"="+value)
	}
	return env, inherited, nil
}

// own are the variables that package handshake promises.
func (r *Recipe) own(f Facts) ([]Var, error) {
	passed, err := passedListeners(f.Listeners)
	if err != nil {
		return nil, err
	}
	paths := make(map[string]string, len(passed))
	names := make([]string, 0, len(passed))
	for _, l := range passed {
		paths[l.Name] = "/dev/fd/" + strconv.Itoa(l.FD)
		names = append(names, l.Name)
	}
	object, err := json.Marshal(paths)
	if err != nil {
		return nil, fmt.Errorf("cannot encode listeners: %w", err)
	}
	id, fds := strconv.Itoa(f.WorkerID), string(object)
	vars := []Var{
		{handshake.EnvWorkerID, id},
		{handshake.EnvSlot, strconv.Itoa(f.Slot)},
		{handshake.EnvWorkers, strconv.Itoa(f.Workers)},
		{handshake.EnvPool, f.Pool},
		{handshake.EnvGeneration, strconv.FormatUint(f.Generation, 10)},
		{handshake.EnvFDs, fds},
	}
	if f.Leader {
		vars = append(vars, Var{handshake.EnvLeader, "1"})
	}
	if f.Fence > 0 {
		vars = append(vars, Var{handshake.EnvFence, strconv.FormatUint(f.Fence, 10)})
	}
	if f.LeaderFence > 0 {
		vars = append(vars, Var{handshake.EnvLeaderFence, strconv.FormatUint(f.LeaderFence, 10)})
	}
	for _, name := range r.cfg.WorkerIDEnv {
		vars = append(vars, Var{name, id})
	}
	for _, name := range r.cfg.FDsEnv {
		vars = append(vars, Var{name, fds})
	}
	if len(passed) > 0 && !r.cfg.Direct {
		vars = append(
			vars,
			Var{handshake.EnvListenFDs, strconv.Itoa(len(passed))},
			Var{handshake.EnvListenPID, ""}, // filled in by the exec shim
			Var{handshake.EnvListenNames, strings.Join(names, ":")},
		)
	}
	if f.NotifySocket != "" {
		vars = append(vars, Var{handshake.EnvNotifySocket, f.NotifySocket})
	}
	if f.WatchdogUsec > 0 {
		vars = append(vars, Var{handshake.EnvWatchdogUsec, strconv.FormatUint(f.WatchdogUsec, 10)})
		if !r.cfg.Direct { // without it the watchdog is meant for whoever reads it
			vars = append(vars, Var{handshake.EnvWatchdogPID, ""})
		}
	}
	if f.TmpDir != "" {
		vars = append(vars, tmpEnviron(f.TmpDir)...)
	}
	for _, l := range f.Listeners {
		if l.Port > 0 && !l.Datagram {
			return append(vars, Var{handshake.EnvPort, strconv.Itoa(l.Port)}), nil
		}
	}
	return vars, nil
}

// passedListeners are those with a descriptor, in descriptor order.
func passedListeners(all []ListenerFact) ([]ListenerFact, error) {
	passed := slices.DeleteFunc(slices.Clone(all), func(l ListenerFact) bool { return l.FD < 0 })
	slices.SortFunc(passed, func(a, b ListenerFact) int { return cmp.Compare(a.FD, b.FD) })
	for i, l := range passed {
		if l.FD != handshake.FirstFD+i {
			return nil, fmt.Errorf("cannot pass listener %s as descriptor %d: %d is next", l.Name, l.FD, handshake.FirstFD+i)
		}
		// The rules of FileDescriptorName= in systemd.socket(5).
		if strings.ContainsFunc(l.Name, func(r rune) bool { return r == ':' || r < ' ' || r > '~' }) {
			return nil, fmt.Errorf("cannot pass listener %q: a name is printable ASCII without a colon", l.Name)
		}
	}
	return passed, nil
}
