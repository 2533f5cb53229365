package plan

import (
	"maps"
	"reflect"
	"slices"

	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/worker"
)

// differences lists what a running process cannot learn any more: its pool has to be rolled.
func (p *Plan) differences(from, to *Pool) []string {
	a, b := &from.Recipe, &to.Recipe
	reasons := unequal(
		field{"command", a.Argv, b.Argv},
		field{"dir", a.Dir, b.Dir},
		field{"user", a.User, b.User},
		field{"group", a.Group, b.Group},
		field{"groups", a.Groups, b.Groups},
		field{"umask", from.Umask, to.Umask},
		field{"limits", from.Limits, to.Limits},
		field{"process", from.Settings, to.Settings},
		field{"worker_ids", [2]int{from.Spec.FirstID, from.Spec.LastID}, [2]int{to.Spec.FirstID, to.Spec.LastID}},
		field{"worker_id_env", a.WorkerIDEnv, b.WorkerIDEnv},
		field{"fds_env", a.FDsEnv, b.FDsEnv},
		field{"direct", a.Direct, b.Direct},
		field{"environment of brood", a.InheritEnv, b.InheritEnv},
		field{"listen", p.sockets(&p.Old, from), p.sockets(&p.New, to)},
		field{"orphans", from.Orphans, to.Orphans},
		field{"log", from.Output, to.Output},
	)
	for _, name := range unequalVars(a.Env, b.Env) {
		reasons = append(reasons, "env "+name)
	}
	for _, name := range unequalKeys(from.Sources, to.Sources) {
		reasons = append(reasons, "content of "+name)
	}
	return reasons
}

// adjustments lists what only concerns later events.
func adjustments(from, to *Pool) []string {
	return unequal(
		field{"ready", from.Ready, to.Ready},
		field{"signals", from.Signals, to.Signals},
		field{"clean_exits", from.Clean, to.Clean},
		field{"requires", from.Requires, to.Requires},
		field{"requires_timeout", from.RequiresTimeout, to.RequiresTimeout},
		field{"pre_start", from.PreStart, to.PreStart},
		field{"after", from.After, to.After},
		field{"reload", from.Spec.Reload, to.Spec.Reload},
		field{"stop", stopping(&from.Spec), stopping(&to.Spec)},
		field{"restart", restarting(&from.Spec), restarting(&to.Spec)},
		field{"rollout", rolling(&from.Spec), rolling(&to.Spec)},
	)
}

// stopping, restarting and rolling are the parts of a specification that users know by these names. The seed of the
// backoff is chance.
func stopping(s *machine.Spec) machine.Spec {
	return machine.Spec{Grace: s.Grace, StopDelay: s.StopDelay}
}

func restarting(s *machine.Spec) machine.Spec {
	part := machine.Spec{Restart: s.Restart, Backoff: s.Backoff}
	part.Backoff.Seed = 0
	return part
}

func rolling(s *machine.Spec) machine.Spec {
	rest := *s
	rest.Workers, rest.FirstID, rest.LastID, rest.Reload = 0, 0, 0, 0
	rest.Grace, rest.StopDelay, rest.Restart, rest.Backoff = 0, 0, 0, machine.Backoff{}
	return rest
}

// socket is a listener as a worker sees it: a name, and what is behind it.
type socket struct {
	name string
	key  Key
}

func (p *Plan) sockets(d *Desired, pool *Pool) []socket {
	var all []socket
	for _, name := range pool.Listen {
		if l := d.Listener(name); l != nil {
			all = append(all, socket{name, KeyOf(l)})
		}
	}
	return all
}

// field is something that may differ, under the name that users know it by.
type field struct {
	name string
	a, b any
}

func unequal(fields ...field) []string {
	var names []string
	for _, f := range fields {
		if !same(f.a, f.b) {
			names = append(names, f.name)
		}
	}
	return names
}

// same is deep equality for which nothing and an empty list are one.
func same(a, b any) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	if x.Kind() == reflect.Slice && x.Len() == 0 && y.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(a, b)
}

func unequalVars(a, b []worker.Var) []string { return unequalKeys(varMap(a), varMap(b)) }

func varMap(vars []worker.Var) map[string]string {
	m := make(map[string]string, len(vars))
	for _, v := range vars {
		m[v.Name] = v.Value
	}
	return m
}

func unequalKeys(a, b map[string]string) []string {
	var names []string
	for name := range a {
		if v, ok := b[name]; !ok || v != a[name] {
			names = append(names, name)
		}
	}
	for name := range maps.Keys(b) {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
