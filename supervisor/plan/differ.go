package plan

import (
	"maps"
	"reflect"
	"slices"

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
		field{"limits", from.Cgroup, to.Cgroup},
		field{"process", from.Settings, to.Settings},
		field{"process", from.PrivateTmp, to.PrivateTmp},
		field{"worker_ids", [2]int{from.Spec.FirstID, from.Spec.LastID}, [2]int{to.Spec.FirstID, to.Spec.LastID}},
		field{"leader", from.Spec.Leader, to.Spec.Leader},
		field{"worker_id_env", a.WorkerIDEnv, b.WorkerIDEnv},
		field{"fds_env", a.FDsEnv, b.FDsEnv},
		field{"direct", a.Direct, b.Direct},
		field{"environment of brood", a.InheritEnv, b.InheritEnv},
		field{"listen", p.sockets(&p.Old, from), p.sockets(&p.New, to)},
		field{"orphans", from.Orphans, to.Orphans},
		field{"watchdog", from.Health.Watchdog, to.Health.Watchdog}, // which a worker is told of when it starts
		field{"log", from.Log, to.Log},
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
	fields := slices.Concat([]field{{"workers", bounds(from), bounds(to)}}, proving(from, to), watching(from, to))
	return unequal(append(fields,
		field{"trace", from.Spec.Trace, to.Spec.Trace},
		field{"recycle", from.Spec.RecycleGap, to.Spec.RecycleGap},
		field{"autoscale", scaling(from), scaling(to)},
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
		field{"rollout", from.Fleet, to.Fleet},
	)...)
}

// SameProof reports whether workers that start prove in the same way, under two descriptions, that they are ready.
func SameProof(a, b *Pool) bool { return len(unequal(proving(a, b)...)) == 0 && SameWatch(a, b) }

// SameWatch reports whether workers that have been ready are watched in the same way under two descriptions.
func SameWatch(a, b *Pool) bool { return len(unequal(watching(a, b)...)) == 0 }

// proving is what workers are asked for once, beside their probes.
func proving(from, to *Pool) []field {
	return []field{
		{"ready", from.Ready, to.Ready},
		{"ready", from.ReadySaid, to.ReadySaid},
	}
}

// watching is what workers are asked for again and again. The watchdog is not among it: a change of it replaces them.
func watching(from, to *Pool) []field {
	return []field{
		{"startup", questionOf(from.Health.Startup), questionOf(to.Health.Startup)},
		{"readiness", questionOf(from.Health.Readiness), questionOf(to.Health.Readiness)},
		{"liveness", questionOf(from.Health.Liveness), questionOf(to.Health.Liveness)},
		{"hang", from.Health.Hang, to.Health.Hang},
		{"recycle", from.Recycle, to.Recycle},
	}
}

// field is something that may differ, under the name that users know it by; several may have one name.
type field struct {
	name string
	a, b any
}

func unequal(fields ...field) []string {
	var names []string
	for _, f := range fields {
		if !same(f.a, f.b) && !slices.Contains(names, f.name) {
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
