package config

import (
	"errors"
	"slices"
	"strings"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// templates tries the recipe with a worker that might be: what its templates name must be there before anything starts.
func (r *resolver) templates(table string, t PoolTable, p *Pool) {
	recipe := p.Recipe
	if len(recipe.Argv) == 0 || recipe.Argv[0] == "" {
		recipe.Argv = []string{"program"} // reported already, and nothing else would be
	}
	_, err := worker.NewRecipe(recipe, r.sample(p, 0))
	eachField(err, func(e *worker.FieldError) { r.badTemplate(fieldKey(table, t, e), e, p) })
}

// badTemplate reports a template that cannot be filled in.
func (r *resolver) badTemplate(key string, e *worker.FieldError, p *Pool) {
	unknown, ok := errors.AsType[*worker.UnknownNameError](e)
	switch {
	case !ok:
		r.bad(key, "", "cannot use %s: %v", r.name(key), e.Err)
	case slices.Contains(p.Listen, everything) && strings.HasPrefix(unknown.What, "listener"):
		// nobody knows yet what systemd will pass
	default:
		r.bad(key, didYouMean(unknown.Name, unknown.Known), "cannot fill in %s: there is no %s %q", r.name(key), unknown.What, unknown.Name)
	}
}

// fieldKey is where a part of a recipe was said.
func fieldKey(table string, t PoolTable, e *worker.FieldError) string {
	key := under(table, e.Field)
	switch e.Field {
	case "command", "worker_id_env", "fds_env":
		return item(key, e.Index)
	case "env":
		if _, ok := t.Credentials[e.Name]; ok {
			return under(under(table, "credentials"), e.Name)
		}
		return under(key, e.Name)
	}
	return key
}

// sample are the facts of a worker that might be.
func (r *resolver) sample(p *Pool, slot int) worker.Facts {
	facts := worker.Facts{Pool: p.Name, Slot: slot, Workers: p.Spec.Workers, WorkerID: p.Spec.FirstID, Generation: 1}
	fd := handshake.FirstFD
	for i, name := range p.Listen {
		l, known := r.listeners[name]
		if name == everything || listener.CheckName(name) != nil || slices.Contains(p.Listen[:i], name) {
			continue
		}
		if l.Mode == listener.PerSlot {
			l.Address.Port += slot
		}
		fact := worker.ListenerFact{Name: name, FD: -1, Port: l.Address.Port, Datagram: l.Address.Network == "udp", Addr: l.Address.HostPort()}
		if l.Mode != listener.PerSlot {
			fact.FD = fd
			fd++
		}
		// The port that the kernel or systemd will choose, and that of a listener with problems of its own.
		if fact.Port == 0 && l.Address.Network != "unix" || !known {
			fact.Port = 1
		}
		facts.Listeners = append(facts.Listeners, fact)
	}
	return facts
}
