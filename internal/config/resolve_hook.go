package config

import (
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/broodctl/brood/internal/probe"
	"github.com/broodctl/brood/supervisor/events"
)

// The bounds of what a hook may want.
const (
	mostAttempts = 100
	mostQueued   = 100_000
)

// hook reads one table of who is told of events.
func (r *resolver) hook(name string, t HookTable) {
	table := under("on_event", name)
	if !poolName.MatchString(name) {
		r.badName(table, "", "cannot call a hook %q: use up to 64 letters, digits, and - _ .", name)
	}
	h := Hook{
		Name: name, Exec: t.Exec, URL: t.URL, Headers: t.Headers, Pools: t.Pools, States: t.States, Causes: t.Causes,
		Timeout: time.Duration(*t.Timeout), Attempts: *t.Attempts, Queue: *t.Queue,
	}
	r.hookTarget(table, t)
	h.TokenFile = r.hookToken(table, t)
	for i, word := range t.Events {
		oneOf(r, item(under(table, "events"), i), word, kindWords())
		h.Kinds = append(h.Kinds, events.Kind(word))
	}
	for i, word := range t.States {
		oneOf(r, item(under(table, "states"), i), word, words(events.States()...))
	}
	for i, word := range t.Causes {
		oneOf(r, item(under(table, "causes"), i), word, words(events.Causes()...))
	}
	r.hookPools(table, t)
	r.hookBounds(table, t)
	r.cfg.Hooks = append(r.cfg.Hooks, h)
}

func kindWords() map[string]string {
	m := map[string]string{}
	for _, k := range events.Kinds() {
		m[string(k)] = string(k)
	}
	return m
}

// hookTarget checks who is told: a program, or a web service.
func (r *resolver) hookTarget(table string, t HookTable) {
	switch exec := len(t.Exec) > 0; {
	case exec && t.URL != "":
		r.bad(under(table, "url"), "leave one of them out, or write two hooks", "a hook has one of exec and url")
	case exec:
		if t.Exec[0] == "" {
			r.bad(under(table, "exec"), "", "the program of exec has no name")
		}
		for key, said := range map[string]bool{"headers": len(t.Headers) > 0, "token_file": t.TokenFile != ""} {
			if said {
				r.bad(under(table, key), "leave it out", "%s belongs to url", key)
			}
		}
	case t.URL == "":
		if !r.anyIn(table) {
			r.bad(table, `write exec = ["/usr/local/bin/page"] or url = "https://...", for example`, "the hook does not say who is told: exec or url")
		}
	default:
		r.hookURL(table, t)
	}
}

// hookURL checks a web service. Its URL and headers are often secrets, so no problem shows them.
func (r *resolver) hookURL(table string, t HookTable) {
	key := under(table, "url")
	switch u, err := url.Parse(t.URL); {
	case err != nil:
		r.badSecret(key, "", "cannot read url: it is none")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		r.badSecret(key, "", "cannot read url: it begins with https://HOST or http://HOST")
	case u.User != nil:
		r.badSecret(key, "use token_file, or headers", "cannot use url: it has a user in it")
	}
	for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
		if err := (probe.Header{Name: name, Value: t.Headers[name]}).Check(); err != nil {
			r.badSecret(under(under(table, "headers"), name), "", "cannot send header %v", err)
		}
	}
}

func (r *resolver) hookToken(table string, t HookTable) string {
	if t.TokenFile == "" {
		return ""
	}
	path, err := credentialPath(r.world, t.TokenFile)
	if err != nil {
		r.bad(under(table, "token_file"), "", "%v", err)
	}
	return path
}

func (r *resolver) hookPools(table string, t HookTable) {
	all := slices.Sorted(maps.Keys(r.file.Pool))
	for i, name := range t.Pools {
		if !slices.Contains(all, name) {
			r.bad(item(under(table, "pools"), i), didYouMean(name, all), "there is no pool %q", name)
		}
	}
}

func (r *resolver) hookBounds(table string, t HookTable) {
	if *t.Timeout <= 0 {
		r.bad(under(table, "timeout"), "", "timeout is 0")
	}
	for _, n := range []struct {
		key   string
		value int
		most  int
	}{{"attempts", *t.Attempts, mostAttempts}, {"queue", *t.Queue, mostQueued}} {
		if n.value < 1 || n.value > n.most {
			r.bad(under(table, n.key), "", "%s is %d: it is from 1 to %d", n.key, n.value, n.most)
		}
	}
}
