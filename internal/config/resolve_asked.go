package config

import (
	"errors"
	"slices"
	"strings"

	"github.com/broodctl/brood/internal/probe"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
)

// kernelAnswers is why nothing is proven by a connection to a socket of brood's.
const kernelAnswers = "on a socket that brood holds the kernel completes connections whether or not anybody serves them"

// probeFits reports what cannot be asked, and who would answer for somebody else.
func (r *resolver) probeFits(table string, t ProbeTable, asked *plan.Probe, p *Pool) {
	c := asked.Config
	key := under(table, "address")
	if c.Kind == probe.TCP || c.Kind == probe.Unix {
		if t.Address != "" {
			r.bad(key, "leave it out", "%s says where to ask already", c.Kind)
		}
		key = under(table, string(c.Kind))
	}
	at, ok := r.askedAt(key, c.Address, p)
	c.Address = at.first
	r.validate(table, c)
	if ok {
		r.answers(key, at, c.Kind, p)
	}
	onListener := (c.Kind == probe.HTTP || c.Kind == probe.GRPC) && t.Address == ""
	switch {
	case t.Listener != "" && !onListener:
		r.bad(under(table, "listener"), "leave it out", "this probe asks no listener")
	case onListener:
		r.askedListener(table, t, c.Kind, p)
	}
}

// validate reports what package probe refuses.
func (r *resolver) validate(table string, c probe.Config) {
	keys := map[string]string{
		"TLS": "http", "Path": "http", "Headers": "headers", "Status": "status", "Body": "body", "Host": "host", "Service": "grpc",
		"Command": "exec", "Address": "address", "InitialDelay": "initial_delay", "Period": "period", "Timeout": "timeout",
		"SuccessThreshold": "success_threshold", "FailureThreshold": "failure_threshold",
	}
	if c.Kind == probe.TCP || c.Kind == probe.Unix {
		keys["Address"] = string(c.Kind)
	}
	eachProbeField(c.Validate(), func(e *probe.FieldError) {
		key := under(table, keys[e.Field])
		r.bad(key, "", "cannot use %s: %v", r.name(key), e.Err)
	})
}

// askedListener reports a listener on which a probe cannot reach one worker alone.
func (r *resolver) askedListener(table string, t ProbeTable, kind probe.Kind, p *Pool) {
	if r.hasProblem(under(parent(table), "listen")) || len(r.listenersOf(p)) < len(p.Listen) && !slices.Contains(p.Listen, everything) {
		return // some listener could not be read
	}
	const hint = `say where each worker is to be asked, as in address = "unix:/run/web.{{.WorkerID}}.sock", or ask with exec`
	key := under(table, "listener")
	l, known := r.listeners[t.Listener]
	switch {
	case slices.Contains(p.Listen, everything) && !slices.Contains(p.Listen, t.Listener):
		// nobody knows yet what systemd will pass
	case t.Listener == "" && !slices.ContainsFunc(r.listenersOf(p), reachesOne):
		r.bad(under(table, string(kind)), hint, "cannot ask a worker of pool %s: it needs a sharded or per-slot TCP listener; on a shared socket any worker may answer", p.Name)
	case t.Listener == "":
	case !slices.Contains(p.Listen, t.Listener):
		r.bad(key, didYouMean(t.Listener, p.Listen), "pool %s has no listener %q", p.Name, t.Listener)
	case known && !reachesOne(l):
		r.bad(key, hint, "cannot ask a worker on listener %s: it is not a sharded or per-slot TCP one, and on a shared socket any worker may answer", l.Name)
	}
}

// reachesOne reports whether a connection can be made to one worker alone.
func reachesOne(l listener.Config) bool {
	network := l.Address.Network
	return l.Mode == listener.PerSlot && network == "tcp" ||
		l.Mode != listener.Shared && l.Mode != listener.PerSlot && (network == "tcp" || network == "systemd")
}

// addresses are where workers that might be are asked: the first one of a pool, the one that replaces it, and another one.
type addresses struct{ first, successor, other string }

// askedAt fills in an address. It returns false if there is none, or a wrong one.
func (r *resolver) askedAt(key, address string, p *Pool) (at addresses, ok bool) {
	if address == "" {
		return at, false
	}
	template, err := worker.NewTemplate(last(key), address, r.sample(p, 0))
	if err != nil {
		eachField(err, func(e *worker.FieldError) { r.badTemplate(key, e, p) })
		return at, false
	}
	fill := func(slot, later int) string {
		facts := r.sample(p, slot)
		facts.WorkerID += later
		facts.Generation += uint64(later)
		text, err := template.Fill(facts)
		if err == nil && text == "" {
			err = errors.New("it comes to nothing")
		}
		if err != nil {
			r.bad(key, "", "cannot use %s: %v", r.name(key), err)
		}
		return text
	}
	at = addresses{first: fill(0, 0), successor: fill(0, 1), other: fill(1, 1)}
	return at, !r.hasProblem(key)
}

// answers reports that somebody else than the worker would answer.
func (r *resolver) answers(key string, at addresses, kind probe.Kind, p *Pool) {
	held, isHeld := r.heldAt(at.first)
	switch role := last(parent(key)); {
	case isHeld && (kind == probe.TCP || kind == probe.Unix):
		r.bad(key, "ask with http or exec; that a worker waits on its socket is what ready = "+quote(readyAuto)+" sees",
			"cannot ask %s: that is listener %s, and %s", at.first, held.Name, kernelAnswers)
	case isHeld:
		r.bad(key, "leave it out: brood asks each worker on its own socket", "cannot ask %s: that is listener %s, and any worker may answer", at.first, held.Name)
	case at.first == at.other && p.MostWorkers() > 1:
		r.bad(key, `fill in what tells them apart, as in ":{{.Port.NAME}}" or "unix:/run/web.{{.WorkerID}}.sock"`, "every worker would be asked at %s", at.first)
	case at.first == at.successor && role != "liveness" && p.Spec.Order == machine.StartFirst:
		r.bad(key, "fill in {{.WorkerID}}, or write rollout.order = "+quote("stop-first"), "an incumbent would answer for its successor at %s", at.first)
	}
}

// heldAt finds the listener of brood's own that is behind an address.
func (r *resolver) heldAt(address string) (listener.Config, bool) {
	for _, c := range r.cfg.Listeners {
		l := c.Config
		a := l.Address
		path, isUnix := strings.CutPrefix(address, "unix:")
		to, err := listener.ParseAddress(address)
		switch {
		case l.Mode == listener.PerSlot:
		case isUnix && a.Network == "unix" && a.Path == path:
			return l, true
		case err == nil && !isUnix && a.Network == "tcp" && a.Port == to.Port && hostReaches(to.Host, a.Host):
			return l, true
		}
	}
	return listener.Config{}, false
}

// hostReaches reports whether who connects to a host comes to what is bound to another. No host is the loopback.
func hostReaches(to, bound string) bool {
	return anyHost(bound) || to == bound || to == "" && bound == "127.0.0.1"
}
