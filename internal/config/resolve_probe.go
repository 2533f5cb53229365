package config

import (
	"errors"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"

	"github.com/broodctl/brood/internal/probe"
	"github.com/broodctl/brood/supervisor/plan"
)

var (
	errProbePath = errors.New("it is a path, as in /livez or https:/livez")
	errProbeUnix = errors.New("it is a path from / on, or an abstract name after @")
)

// probes reads the three tables of probes.
func (r *resolver) probes(table string, t PoolTable, p *Pool) {
	h := &p.Health
	h.Startup = r.probe(under(table, "startup"), t.Startup, p)
	h.Readiness = r.probe(under(table, "readiness"), t.Readiness, p)
	h.Liveness = r.probe(under(table, "liveness"), t.Liveness, p)
	for key, said := range map[string]*plan.Probe{"startup": h.Startup, "liveness": h.Liveness} {
		if at := under(under(table, key), "success_threshold"); said != nil && said.SuccessThreshold > 1 {
			r.bad(at, "leave it out", "%s of %s is 1: only readiness comes back", r.name(at), key)
		}
	}
	r.patience(table, t, h)
}

// probe reads one of them, nil if it says nothing or nothing useful.
func (r *resolver) probe(table string, t ProbeTable, p *Pool) *plan.Probe {
	kind, ok := r.probeKind(table, t)
	if !ok {
		return nil
	}
	c := probe.Config{
		Kind: kind, Host: t.Host, Address: t.Address, SuccessThreshold: t.SuccessThreshold, FailureThreshold: t.FailureThreshold,
		InitialDelay: time.Duration(*t.InitialDelay), Period: time.Duration(*t.Period), Timeout: time.Duration(*t.Timeout),
	}
	for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
		c.Headers = append(c.Headers, probe.Header{Name: name, Value: t.Headers[name]})
	}
	var err error
	if t.Status != "" {
		if c.Status, err = probe.ParseStatus(t.Status); err != nil {
			r.unreadable(under(table, "status"), t.Status, probe.ErrStatus)
		}
	}
	if t.Body != "" {
		c.Body = r.pattern(under(table, "body"), t.Body)
	}
	switch kind {
	case probe.HTTP:
		c.Path, c.TLS, err = probePath(t.HTTP)
	case probe.TCP:
		c.Address = t.TCP
	case probe.Unix:
		c.Address = "unix:" + t.Unix
		err = probeUnix(t.Unix)
	case probe.Exec:
		c.Command = t.Exec
	case probe.GRPC:
		c.Service = *t.GRPC
	case probe.Notify: // is [pool.NAME.health] watchdog
	}
	if err != nil {
		r.unreadable(under(table, string(kind)), t.words()[kind], err)
	}
	asked := &plan.Probe{Config: c, Listener: t.Listener}
	r.probeFits(table, t, asked, p)
	return asked
}

// words are the kinds of the table that are said, and what is said of them.
func (t *ProbeTable) words() map[probe.Kind]string {
	said := map[probe.Kind]string{}
	for kind, word := range map[probe.Kind]string{probe.HTTP: t.HTTP, probe.TCP: t.TCP, probe.Unix: t.Unix, probe.Exec: t.Exec} {
		if word != "" {
			said[kind] = word
		}
	}
	if t.GRPC != nil {
		said[probe.GRPC] = *t.GRPC
	}
	return said
}

// probeKind finds the one kind that a probe is of.
func (r *resolver) probeKind(table string, t ProbeTable) (probe.Kind, bool) {
	all := []probe.Kind{probe.HTTP, probe.TCP, probe.Unix, probe.Exec, probe.GRPC}
	words := t.words()
	said := slices.DeleteFunc(slices.Clone(all), func(k probe.Kind) bool { _, ok := words[k]; return !ok })
	switch {
	case len(said) > 1:
		r.bad(under(table, string(said[1])), "leave one of them out", "a probe asks one thing, and this one has %s already", said[0])
		return "", false
	case len(said) == 1:
		return said[0], true
	case (t.said() || r.writes(table)) && !r.anyIn(table):
		r.bad(table, `write http = "/livez", for example`, "the probe does not say what it asks: one of http, tcp, unix, exec and grpc")
	}
	return "", false
}

// writes reports whether the file has the table, even if it is empty.
func (r *resolver) writes(table string) bool { return r.doc != nil && r.says(table) }

// patience reports a start that ends before the probes can have had their say.
func (r *resolver) patience(table string, t PoolTable, h *plan.Health) {
	key := under(under(table, "rollout"), "ready_timeout")
	limit := *t.Rollout.ReadyTimeout
	if limit <= 0 || r.anyIn(table) {
		return
	}
	for _, p := range []struct {
		name   string
		probe  *plan.Probe
		needed func(*plan.Probe) Duration
	}{
		{"startup", h.Startup, func(*plan.Probe) Duration { return patience(t.Startup) - Duration(defaultReadyTimeout) }},
		{"readiness", h.Readiness, func(p *plan.Probe) Duration {
			return Duration(p.InitialDelay + time.Duration(p.SuccessThreshold-1)*p.Period)
		}},
	} {
		if p.probe == nil {
			continue
		}
		if needed := p.needed(p.probe); needed > limit {
			r.bad(key, "raise it, or leave it out", "%s (%s) is over before the %s probe has had its time: %s", r.name(key), limit, p.name, needed)
		}
	}
}

func (r *resolver) pattern(key, word string) *regexp.Regexp {
	expr, err := regexp.Compile(word)
	if err != nil {
		if wrong, ok := errors.AsType[*syntax.Error](err); ok {
			err = errors.New("as a regular expression: " + wrong.Code.String())
		}
		r.unreadable(key, word, err)
		return nil
	}
	return expr
}

// probePath reads what follows http: a path, or https: and a path.
func probePath(word string) (string, probe.TLS, error) {
	scheme, path, ok := strings.Cut(word, ":")
	if !ok || strings.HasPrefix(word, "/") {
		scheme, path = "", word
	}
	tls := map[string]probe.TLS{"": probe.Plain, "https": probe.Unverified}
	prefix := map[string]string{"https": "https:"}[scheme]
	host, rest, whole := urlHost(path)
	_, known := tls[scheme]
	switch {
	case whole && (known || scheme == "http"):
		return "", "", hinted(errProbePath, "write "+quote(prefix+rest)+"; for a place of its own, address = "+quote(host))
	case scheme == "http" && strings.HasPrefix(path, "/"):
		return "", "", hinted(errProbePath, "write "+quote(path))
	case !known:
		return "", "", errProbePath
	case !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " #"):
		return "", "", errProbePath
	}
	return path, tls[scheme], nil
}

// urlHost cuts what follows the colon of a URL.
func urlHost(rest string) (host, path string, ok bool) {
	rest, ok = strings.CutPrefix(rest, "//")
	host, path, _ = strings.Cut(rest, "/")
	return host, "/" + path, ok
}

func probeUnix(word string) error {
	path, prefixed := strings.CutPrefix(word, "unix:")
	switch {
	case prefixed:
		return hinted(errProbeUnix, "write "+quote(path))
	case word[0] != '/' && word[0] != '@' && !strings.HasPrefix(word, "{{") || len(word) < 2:
		return errProbeUnix
	}
	return nil
}
