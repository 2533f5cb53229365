package plan_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// poolFields say of each field of a pool what another value comes to. The path leads through structs; one that is not
// here fails TestEveryFieldOfAPoolIsCompared.
var poolFields = []struct {
	path    string
	change  func(*plan.Pool)
	kind    plan.Kind
	reasons []string
}{
	{"Spec.Workers", func(p *plan.Pool) { p.Spec.Workers = 4 }, plan.Scaled, nil},
	{"Spec.MaxSurge", func(p *plan.Pool) { p.Spec.MaxSurge = 2 }, plan.Adjusted, []string{"rollout"}},
	{"Spec.MaxUnavailable", func(p *plan.Pool) { p.Spec.MaxUnavailable = 1 }, plan.Adjusted, []string{"rollout"}},
	{"Spec.SurgePercent", func(p *plan.Pool) { p.Spec.SurgePercent = 50 }, plan.Adjusted, []string{"rollout"}},
	{"Spec.UnavailablePercent", func(p *plan.Pool) { p.Spec.UnavailablePercent = 50 }, plan.Adjusted, []string{"rollout"}},
	{"Spec.Order", func(p *plan.Pool) { p.Spec.Order = machine.StopFirst }, plan.Adjusted, []string{"rollout"}},
	{"Spec.FirstID", func(p *plan.Pool) { p.Spec.FirstID = 1 }, plan.Rolled, []string{"worker_ids"}},
	{"Spec.Claims", func(p *plan.Pool) { p.Spec.Claims = true }, plan.Kept, nil},
	{"Spec.KeepIDs", func(p *plan.Pool) { p.Spec.KeepIDs = true }, plan.Kept, nil},
	{"Spec.Turns", func(p *plan.Pool) { p.Spec.Turns = true }, plan.Adjusted, []string{"rollout"}},
	{"Spec.Leader", func(p *plan.Pool) { p.Spec.Leader = true }, plan.Rolled, []string{"leader"}},
	{"Spec.LastID", func(p *plan.Pool) { p.Spec.LastID = 99 }, plan.Rolled, []string{"worker_ids"}},
	{"Spec.ReadyTimeout", func(p *plan.Pool) { p.Spec.ReadyTimeout = 0 }, plan.Adjusted, []string{"rollout"}},
	{"Spec.MinReady", func(p *plan.Pool) { p.Spec.MinReady = 1 }, plan.Adjusted, []string{"rollout"}},
	{"Spec.Canary", func(p *plan.Pool) { p.Spec.Canary = 1 }, plan.Adjusted, []string{"rollout"}},
	{"Spec.Settle", func(p *plan.Pool) { p.Spec.Settle = 1 }, plan.Adjusted, []string{"rollout"}},
	{"Spec.StopDelay", func(p *plan.Pool) { p.Spec.StopDelay = 1 }, plan.Adjusted, []string{"stop"}},
	{"Spec.Grace", func(p *plan.Pool) { p.Spec.Grace = 1 }, plan.Adjusted, []string{"stop"}},
	{"Spec.Trace", func(p *plan.Pool) { p.Spec.Trace = 1 }, plan.Adjusted, []string{"trace"}},
	{"Spec.RecycleGap", func(p *plan.Pool) { p.Spec.RecycleGap = 1 }, plan.Adjusted, []string{"recycle"}},
	{"Spec.Reload", func(p *plan.Pool) { p.Spec.Reload = machine.ReloadRoll }, plan.Adjusted, []string{"reload"}},
	{"Spec.DumpGap", func(p *plan.Pool) { p.Spec.DumpGap = 1 }, plan.Adjusted, []string{"rollout"}},
	{"Spec.Restart", func(p *plan.Pool) { p.Spec.Restart = machine.RestartNever }, plan.Adjusted, []string{"restart"}},
	{"Spec.Backoff", func(p *plan.Pool) { p.Spec.Backoff.Max = 1 }, plan.Adjusted, []string{"restart"}},
	{"Spec.Backoff", func(p *plan.Pool) { p.Spec.Backoff.Seed = 1 }, plan.Kept, nil},
	{"Recipe.Argv", func(p *plan.Pool) { p.Recipe.Argv = []string{"x"} }, plan.Rolled, []string{"command"}},
	{"Recipe.Env", func(p *plan.Pool) { p.Recipe.Env = []worker.Var{{Name: "LEVEL", Value: "2"}} }, plan.Rolled, []string{"env LEVEL"}},
	{
		"Recipe.Env", func(p *plan.Pool) { p.Recipe.Env = []worker.Var{{Name: "B", Value: ""}, {Name: "A"}} },
		plan.Rolled,
		[]string{"env A", "env B", "env LEVEL"},
	},
	{
		"Recipe.Env", func(p *plan.Pool) {
			p.Recipe.Env = []worker.Var{{Name: "LEVEL", Value: "0"}, {Name: "LEVEL", Value: "1"}}
		},
		plan.Kept, nil,
	},
	{"Recipe.InheritEnv", func(p *plan.Pool) { p.Recipe.InheritEnv = []string{"A=1"} }, plan.Rolled, []string{"environment of brood"}},
	{"Recipe.Dir", func(p *plan.Pool) { p.Recipe.Dir = "/srv" }, plan.Rolled, []string{"dir"}},
	{"Recipe.User", func(p *plan.Pool) { p.Recipe.User = "app" }, plan.Rolled, []string{"user"}},
	{"Recipe.Group", func(p *plan.Pool) { p.Recipe.Group = "app" }, plan.Rolled, []string{"group"}},
	{"Recipe.Groups", func(p *plan.Pool) { p.Recipe.Groups = []string{"app"} }, plan.Rolled, []string{"groups"}},
	{"Recipe.Groups", func(p *plan.Pool) { p.Recipe.Groups = []string{} }, plan.Kept, nil},
	{"Recipe.WorkerIDEnv", func(p *plan.Pool) { p.Recipe.WorkerIDEnv = []string{"ID"} }, plan.Rolled, []string{"worker_id_env"}},
	{"Recipe.FDsEnv", func(p *plan.Pool) { p.Recipe.FDsEnv = []string{"FDS"} }, plan.Rolled, []string{"fds_env"}},
	{"Recipe.Direct", func(p *plan.Pool) { p.Recipe.Direct = true }, plan.Rolled, []string{"direct"}},
	{"Umask", func(p *plan.Pool) { p.Umask = new(uint32) }, plan.Rolled, []string{"umask"}},
	{"Limits", func(p *plan.Pool) { p.Limits = []worker.Limit{{Resource: 7, Soft: 1, Hard: 1}} }, plan.Rolled, []string{"limits"}},
	{"Settings", func(p *plan.Pool) { p.Settings.Nice = new(0) }, plan.Rolled, []string{"process"}},
	{"Settings", func(p *plan.Pool) { p.Settings.CPUs = [][]int{{0}} }, plan.Rolled, []string{"process"}},
	{"Listen", func(p *plan.Pool) { p.Listen = nil }, plan.Rolled, []string{"listen"}},
	{"Ready", func(p *plan.Pool) { p.Ready.Kind = worker.ReadyNotify }, plan.Adjusted, []string{"ready"}},
	{"ReadySaid", func(p *plan.Pool) { p.ReadySaid = true }, plan.Adjusted, []string{"ready"}},
	{"ReadySaid", func(p *plan.Pool) { p.ReadySaid, p.Ready.Kind = true, worker.ReadyNotify }, plan.Adjusted, []string{"ready"}},
	{"Health.Startup", func(p *plan.Pool) { p.Health.Startup = probing("/") }, plan.Adjusted, []string{"startup"}},
	{"Health.Readiness", func(p *plan.Pool) { p.Health.Readiness = probing("/") }, plan.Adjusted, []string{"readiness"}},
	{"Health.Liveness", func(p *plan.Pool) { p.Health.Liveness = nil }, plan.Adjusted, []string{"liveness"}},
	{"Health.Liveness", func(p *plan.Pool) { p.Health.Liveness = probing("/other") }, plan.Adjusted, []string{"liveness"}},
	{"Health.Liveness", func(p *plan.Pool) { p.Health.Liveness.Listener = "http" }, plan.Adjusted, []string{"liveness"}},
	{"Health.Liveness", func(p *plan.Pool) { p.Health.Liveness.Body = regexp.MustCompile("no") }, plan.Adjusted, []string{"liveness"}},
	{"Health.Liveness", func(p *plan.Pool) { p.Health.Liveness.Body = nil }, plan.Adjusted, []string{"liveness"}},
	{"Health.Watchdog", func(p *plan.Pool) { p.Health.Watchdog = 1 }, plan.Rolled, []string{"watchdog"}},
	{"Health.Hang", func(p *plan.Pool) { p.Health.Hang = 1 }, plan.Adjusted, []string{"hang"}},
	{"Recycle.MaxLifetime", func(p *plan.Pool) { p.Recycle.MaxLifetime = 1 }, plan.Adjusted, []string{"recycle"}},
	{"Recycle.MaxMemory", func(p *plan.Pool) { p.Recycle.MaxMemory = 1 }, plan.Adjusted, []string{"recycle"}},
	{"Recycle.MaxRequests", func(p *plan.Pool) { p.Recycle.MaxRequests = 1 }, plan.Adjusted, []string{"recycle"}},
	{"Recycle.Jitter", func(p *plan.Pool) { p.Recycle.Jitter, p.Spec.RecycleGap = 1, 1 }, plan.Adjusted, []string{"recycle"}},
	{"Autoscale.Min", func(p *plan.Pool) { p.Autoscale.Min = 1 }, plan.Adjusted, []string{"workers"}},
	{"Autoscale.Max", func(p *plan.Pool) { p.Autoscale.Max = 9 }, plan.Adjusted, []string{"workers"}},
	{"Autoscale.Queue", func(p *plan.Pool) { p.Autoscale.Queue = 1 }, plan.Adjusted, []string{"autoscale"}},
	{"Autoscale.CPU", func(p *plan.Pool) { p.Autoscale.CPU = 1 }, plan.Adjusted, []string{"autoscale"}},
	{"Autoscale.UpAfter", func(p *plan.Pool) { p.Autoscale.UpAfter = 1 }, plan.Adjusted, []string{"autoscale"}},
	{"Autoscale.DownAfter", func(p *plan.Pool) { p.Autoscale.DownAfter = 1 }, plan.Adjusted, []string{"autoscale"}},
	{"Fleet", func(p *plan.Pool) { p.Fleet.StopAfter = 3 }, plan.Adjusted, []string{"rollout"}},
	{"Cgroup", func(p *plan.Pool) { p.Cgroup.MemoryMax = 1 }, plan.Rolled, []string{"limits"}},
	{"PrivateTmp", func(p *plan.Pool) { p.PrivateTmp = true }, plan.Rolled, []string{"process"}},
	{"Signals", func(p *plan.Pool) { p.Signals.Stop = syscall.SIGQUIT }, plan.Adjusted, []string{"signals"}},
	{"Orphans", func(p *plan.Pool) { p.Orphans = worker.OrphanKill + 1 }, plan.Rolled, []string{"orphans"}},
	{"Clean", func(p *plan.Pool) { p.Clean.Codes = []int{3} }, plan.Adjusted, []string{"clean_exits"}},
	{"Log", func(p *plan.Pool) { p.Log.Mode = "tail" }, plan.Rolled, []string{"log"}},
	{"Requires", func(p *plan.Pool) { p.Requires = []string{"env:X"} }, plan.Adjusted, []string{"requires"}},
	{"RequiresTimeout", func(p *plan.Pool) { p.RequiresTimeout = time.Second }, plan.Adjusted, []string{"requires_timeout"}},
	{"PreStart", func(p *plan.Pool) { p.PreStart = []string{"true"} }, plan.Adjusted, []string{"pre_start"}},
	{"After", func(p *plan.Pool) { p.After = []string{"other"} }, plan.Adjusted, []string{"after"}},
	{"Secrets", func(p *plan.Pool) { p.Secrets = []string{"LEVEL"} }, plan.Kept, nil}, // what it is, not what it says
	{"Sources", func(p *plan.Pool) { p.Sources = map[string]string{"PEM": "2"} }, plan.Rolled, []string{"content of PEM"}},
	{
		"all", func(p *plan.Pool) { p.Recipe.Dir, p.Ready.Kind, p.Spec.Workers = "/srv", worker.ReadyNotify, 1 },
		plan.Rolled,
		[]string{"dir", "ready"},
	},
	{
		"all", func(p *plan.Pool) { p.Ready.Kind, p.Spec.Workers = worker.ReadyNotify, 1 },
		plan.Scaled,
		[]string{"ready"},
	},
}

func TestWhatAFieldOfAPoolComesTo(t *testing.T) {
	all, other := listeners(web("http", 80)), pool("other")
	for _, tt := range poolFields {
		t.Run(tt.path, func(t *testing.T) {
			p, err := plan.Compare(desired(all, asked("p", "http"), other), desired(all, but(asked("p", "http"), tt.change), other), nil)
			if err != nil {
				t.Fatal(err)
			}
			if c := p.Changes[0]; c.Kind != tt.kind || !slices.Equal(c.Reasons, tt.reasons) {
				t.Errorf("%s, want %s %v", c.String(), tt.kind, tt.reasons)
			}
			if c := p.Changes[1]; c.Kind != plan.Kept {
				t.Errorf("the other pool: %s", c.String())
			}
			if p.Empty() != (tt.kind == plan.Kept) {
				t.Errorf("empty: %t", p.Empty())
			}
		})
	}
}

// What is added to a pool must be compared, or be in the table as something that need not be.
func TestEveryFieldOfAPoolIsCompared(t *testing.T) {
	known := map[string]bool{"Name": true}
	for _, f := range poolFields {
		known[f.path] = true
	}
	var visit func(prefix string, of reflect.Type)
	visit = func(prefix string, of reflect.Type) {
		for f := range of.Fields() {
			path := prefix + f.Name
			if slices.Contains([]string{"Spec", "Recipe", "Health", "Recycle", "Autoscale"}, path) {
				visit(path+".", f.Type)
				continue
			}
			if !known[path] {
				t.Errorf("field %s of a pool is not in the table", path)
			}
		}
	}
	visit("", reflect.TypeFor[plan.Pool]())
}

// listenerFields are the same for a listener; pool is what it comes to for the pool that has it.
var listenerFields = []struct {
	field   string
	change  func(*listener.Config)
	kind    plan.Kind
	reasons []string
	pool    plan.Kind
}{
	{"Name", func(l *listener.Config) { l.Name = "web" }, plan.Adjusted, []string{"name"}, plan.Rolled},
	{"Address", func(l *listener.Config) { l.Address.Path = "/run/y.sock" }, plan.Added, nil, plan.Rolled},
	{"Steer", func(l *listener.Config) { l.Steer = listener.CPU }, plan.Adjusted, []string{"steer"}, plan.Kept},
	{"QueueAware", func(l *listener.Config) { l.QueueAware = true }, plan.Adjusted, []string{"queue_aware"}, plan.Kept},
	{"Backlog", func(l *listener.Config) { l.Backlog = 9 }, plan.Adjusted, []string{"backlog"}, plan.Kept},
	{"Perm", func(l *listener.Config) { l.Perm = 0o600 }, plan.Adjusted, []string{"perm"}, plan.Kept},
	{"Owner", func(l *listener.Config) { l.Owner = "app" }, plan.Adjusted, []string{"owner"}, plan.Kept},
	{"Group", func(l *listener.Config) { l.Group = "app" }, plan.Adjusted, []string{"owner"}, plan.Kept},
	{"Mode", func(*listener.Config) {}, plan.Kept, nil, plan.Kept}, // see TestModeOfAListenerStays
}

func TestWhatAFieldOfAListenerComesTo(t *testing.T) {
	known := map[string]bool{}
	for _, tt := range listenerFields {
		known[tt.field] = true
		t.Run(tt.field, func(t *testing.T) {
			was := socket("http", "/run/x.sock")
			is := was
			tt.change(&is)
			p, err := plan.Compare(desired(listeners(was), pool("p", "http")), desired(listeners(is), pool("p", is.Name)), nil)
			if err != nil {
				t.Fatal(err)
			}
			if l := p.Listeners[0]; l.Kind != tt.kind || !slices.Equal(l.Reasons, tt.reasons) || l.Name != is.Name || l.To != 0 {
				t.Errorf("%+v, want %s %v", l, tt.kind, tt.reasons)
			}
			if removed := len(p.Listeners) > 1 && p.Listeners[1].Kind == plan.Removed; removed != (tt.kind == plan.Added) {
				t.Errorf("%+v", p.Listeners)
			}
			if c := p.Changes[0]; c.Kind != tt.pool || c.Kind == plan.Rolled && !slices.Equal(c.Reasons, []string{"listen"}) {
				t.Errorf("%s, want %s", c.String(), tt.pool)
			}
			if p.Empty() != (tt.kind == plan.Kept) {
				t.Errorf("empty: %t", p.Empty())
			}
		})
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[listener.Config]()) {
		if !known[f.Name] {
			t.Errorf("field %s of a listener is not in the table", f.Name)
		}
	}
}

func TestModeOfAListenerStays(t *testing.T) {
	was := web("http", 80)
	is := was
	is.Mode = listener.Shared
	_, err := plan.Compare(desired(listeners(was), pool("p", "http")), desired(listeners(is), pool("p", "http")), nil)
	checkOrder(t, err, "the mode of listener http on 127.0.0.1:80 changes from sharded to shared")
}

func checkOrder(t *testing.T, err error, words string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), words) {
		t.Errorf("error %v, want %q", err, words)
	}
}
