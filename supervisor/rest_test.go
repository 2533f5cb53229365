package supervisor

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
)

// desire is a description.
func desire(listeners []listener.Config, pools ...plan.Pool) plan.Desired {
	return plan.Desired{Listeners: listeners, Pools: pools}
}

func listening(all ...listener.Config) []listener.Config { return all }

// but is a pool in which something is different.
func but(p plan.Pool, change func(*plan.Pool)) plan.Pool {
	change(&p)
	return p
}

// newer is a pool with another command, which has to be rolled.
func newer(p plan.Pool) plan.Pool {
	return but(p, func(p *plan.Pool) { p.Recipe.Argv = []string{"server", "--new"} })
}

func sized(p plan.Pool, workers int) plan.Pool {
	return but(p, func(p *plan.Pool) { p.Spec.Workers = workers })
}

func after(p plan.Pool, names ...string) plan.Pool {
	return but(p, func(p *plan.Pool) { p.After = names })
}

// described begins with a description, which is also what the file says.
func described(w *world, d plan.Desired) func(*Config) {
	return func(c *Config) {
		w.named = true
		w.put(d, nil)
		c.File, c.Desired, c.World.Load = "brood.toml", d, w.load
	}
}

// picture is what matters of a supervisor at rest: what it is to run, and what runs. Generations, worker ids and sides
// are how it came there.
func (s *stage) picture() []string {
	all := []string{s.sup.Snapshot().State}
	for _, p := range s.sup.pools {
		spec := p.st.Spec
		spec.Backoff.Seed = 0
		all = append(all, fmt.Sprintf("pool %s: %s %+v", p.name, p.phase(), spec))
		for _, l := range p.edition().listeners {
			all = append(all, fmt.Sprintf("pool %s: listener %s", p.name, l.Name()))
		}
	}
	for _, proc := range s.world.living() {
		all = append(all, "worker "+portrait(proc))
	}
	slices.Sort(all[1:])
	for _, l := range s.world.serving() {
		all = append(all, "listener "+strings.NewReplacer("a ", " ", "b ", " ").Replace(l+" "))
	}
	return all
}

// portrait is a worker without what is its own.
func portrait(p *fakeProcess) string {
	var env []string
	for _, kv := range p.cmd.Env {
		switch name, _, _ := strings.Cut(kv, "="); name {
		case "BROOD_GENERATION", "BROOD_WORKER_ID", "BROOD_WORKERS", "NOTIFY_SOCKET":
		default:
			env = append(env, kv)
		}
	}
	slices.Sort(env)
	umask := "none"
	if p.cmd.Umask != nil {
		umask = fmt.Sprintf("%o", *p.cmd.Umask)
	}
	return fmt.Sprint(p.pool(), ".", p.env("BROOD_SLOT"), " ", p.cmd.Argv, env, p.cmd.Dir, " umask ", umask, p.cmd.Limits, p.serves)
}

// checkRest checks that a supervisor that has come to rest runs what it says it does.
func (s *stage) checkRest() {
	s.t.Helper()
	sup := s.sup
	if sup.transaction != nil || len(sup.reloads) > 0 || len(sup.answers) > 0 {
		s.t.Errorf("at rest with a transaction %+v, %d reloads and %d answers to come", sup.transaction, len(sup.reloads), len(sup.answers))
	}
	s.checkPools()
	s.checkListeners()
	begun, ended := s.reloadings()
	if begun != ended {
		s.t.Errorf("systemd heard of %d reloads and of the end of %d", begun, ended)
	}
	if s.t.Failed() {
		s.t.Logf("diary:\n  %s", strings.Join(s.world.lines(), "\n  "))
	}
}

// checkPublished demands that the snapshot says how it is, unless the next one is to come.
func (s *stage) checkPublished() {
	s.t.Helper()
	s.settle()
	snap := s.sup.snapshot.Load()
	if s.sup.press.waiting || s.sup.ended() {
		return
	}
	for i, p := range s.sup.pools {
		if is, says := p.view(), snap.Pools[i]; !reflect.DeepEqual(is, says) {
			s.t.Errorf("pool %s is\n%+v, but the snapshot says\n%+v", p.name, is, says)
		}
	}
}

func (s *stage) checkPools() {
	s.t.Helper()
	sup := s.sup
	var names, wanted []string
	for _, p := range sup.pools {
		names = append(names, p.name)
	}
	for i := range sup.desired.Pools {
		wanted = append(wanted, sup.desired.Pools[i].Name)
	}
	if !slices.Equal(names, wanted) {
		s.t.Errorf("pools %v, want %v", names, wanted)
		return
	}
	living := map[string][]*fakeProcess{}
	for _, proc := range s.world.living() {
		living[proc.pool()] = append(living[proc.pool()], proc)
	}
	for i, p := range sup.pools {
		if p.st.Phase != machine.Serving || p.station != running {
			continue
		}
		if cfg := &sup.desired.Pools[i]; !samePool(cfg, p.cfg()) {
			s.t.Errorf("pool %s is described by\n%+v, want\n%+v", p.name, *p.cfg(), *cfg)
		}
		if len(p.editions) > 1 {
			s.t.Errorf("pool %s has %d editions", p.name, len(p.editions))
		}
		if n := p.st.Spec.Workers; p.cfg().Autoscale.Clamp(n) != n {
			s.t.Errorf("pool %s has %d workers, which is out of its bounds %+v", p.name, n, p.cfg().Autoscale)
		}
		if got := len(living[p.name]); got != p.st.Spec.Workers {
			s.t.Errorf("pool %s has %d workers, want %d", p.name, got, p.st.Spec.Workers)
		}
		for _, proc := range living[p.name] {
			s.checkWorker(p.cfg(), proc)
		}
	}
}

// samePool compares descriptions but for the number of workers, which anybody may scale.
func samePool(a, b *plan.Pool) bool {
	n := b.Autoscale.Clamp(1)
	p, err := plan.Compare(desire(nil, sized(*a, n)), desire(nil, sized(*b, n)), nil)
	return err == nil && p.Empty()
}

func (s *stage) checkWorker(cfg *plan.Pool, proc *fakeProcess) {
	s.t.Helper()
	if !slices.Equal(proc.cmd.Argv, cfg.Recipe.Argv) || proc.cmd.Dir != cfg.Recipe.Dir || !s.serves(proc) {
		s.t.Errorf("worker %s runs %v in %q (serves: %t), want %+v", proc.name(), proc.cmd.Argv, proc.cmd.Dir, s.serves(proc), cfg.Recipe)
	}
	for _, v := range cfg.Recipe.Env {
		if got := proc.env(v.Name); got != v.Value {
			s.t.Errorf("worker %s has %s=%q, want %q", proc.name(), v.Name, got, v.Value)
		}
	}
	var held []string // those of which it has a descriptor
	for _, name := range cfg.Listen {
		if l := s.sup.desired.Listener(name); l != nil && l.Mode != listener.PerSlot {
			held = append(held, name)
		}
	}
	if got, want := proc.env("LISTEN_FDNAMES"), strings.Join(held, ":"); got != want {
		s.t.Errorf("worker %s listens on %q, want %q", proc.name(), got, want)
	}
}

// checkListeners checks that what is wanted is open, takes connections, and is steered to the workers of its pool.
func (s *stage) checkListeners() {
	s.t.Helper()
	sup := s.sup
	var wanted []plan.Key
	for i := range sup.desired.Listeners {
		wanted = append(wanted, plan.KeyOf(&sup.desired.Listeners[i]))
	}
	found := slices.Collect(maps.Keys(sup.house.open))
	byAddress := func(a, b plan.Key) int { return strings.Compare(a.Address, b.Address) }
	slices.SortFunc(wanted, byAddress)
	slices.SortFunc(found, byAddress)
	if !slices.Equal(wanted, found) {
		s.t.Errorf("the house has %v, want %v", found, wanted)
	}
	s.world.mu.Lock()
	all := slices.Clone(s.world.listeners)
	s.world.mu.Unlock()
	open := 0
	for _, l := range all {
		if l.closed {
			continue
		}
		open++
		if l.paused && s.isServed(l) {
			s.t.Errorf("listener %s is paused", l.cfg.Name)
		}
		for _, m := range l.members {
			if !s.hasReady(l, m) && s.isServed(l) {
				s.t.Errorf("listener %s is steered to %v, where nobody is ready", l.cfg.Name, m)
			}
		}
		if i := slices.IndexFunc(sup.desired.Listeners, func(c listener.Config) bool { return c == l.cfg }); i < 0 {
			s.t.Errorf("listener %+v is not as wanted", l.cfg)
		}
	}
	if open != len(wanted) {
		s.t.Errorf("%d listeners are open, want %d: %v", open, len(wanted), s.world.serving())
	}
}

// isServed reports whether a pool that runs has the listener.
func (s *stage) isServed(l *fakeListener) bool {
	return slices.ContainsFunc(s.sup.pools, func(p *pool) bool {
		return p.st.Phase == machine.Serving && p.station == running && p.edition().has(l)
	})
}

func (s *stage) hasReady(l *fakeListener, m listener.Member) bool {
	return slices.ContainsFunc(s.world.living(), func(p *fakeProcess) bool {
		return slices.Contains(p.cmd.Files, l.FD(m.Slot, m.Side)) && s.serves(p)
	})
}

// serves reports whether the supervisor takes a worker for ready.
func (s *stage) serves(proc *fakeProcess) bool {
	for _, p := range s.sup.pools {
		for ref, rec := range p.workers {
			if w, ok := p.st.Worker(ref); ok && rec.proc == Process(proc) {
				return w.Health.Serves()
			}
		}
	}
	return false
}

// reloadings counts what systemd heard of reloads after we were ready for the first time.
func (s *stage) reloadings() (begun, ended int) {
	for _, state := range s.world.told() {
		switch {
		case strings.HasPrefix(state, "RELOADING=1\nMONOTONIC_USEC="):
			begun++
		case state == "READY=1":
			ended++
		}
	}
	return begun, ended
}
