package config

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/worker"
)

var (
	errReady      = errors.New("it is one of auto, notify, tcp, http:PATH, exec:COMMAND, delay:DURATION")
	errReadyPath  = errors.New("the path begins with /, as in http:/readyz")
	errReadyDelay = errors.New("the delay is a duration, as in delay:2s")
)

// ready reads a pool's proof of readiness, and refuses one that could not tell the workers apart.
func (r *resolver) ready(table, word string, p *Pool) worker.Readiness {
	key := under(table, "ready")
	ready, err := r.parseReady(word, p)
	if err != nil {
		r.unreadable(key, word, err)
		return ready
	}
	if r.hasProblem(under(table, "listen")) || len(r.listenersOf(p)) < len(p.Listen) && !slices.Contains(p.Listen, everything) {
		return ready // some listener could not be read
	}
	perSlot := func(l listener.Config) bool { return l.Mode == listener.PerSlot && l.Address.Network == "tcp" }
	all := slices.Contains(p.Listen, everything)
	switch {
	case ready.Kind == worker.ReadyHTTP && !all && !slices.ContainsFunc(r.listenersOf(p), reachesOne):
		r.bad(key, "", "cannot probe http:%s: it needs a sharded or per-slot TCP listener; on a shared socket any worker may answer", ready.Path)
	case ready.Kind == worker.ReadyTCP && !slices.ContainsFunc(r.listenersOf(p), perSlot):
		r.bad(key, "auto sees when a worker waits on its socket", "cannot probe tcp: it needs a per-slot TCP listener; "+kernelAnswers)
	}
	return ready
}

func (r *resolver) parseReady(word string, p *Pool) (worker.Readiness, error) {
	kind, rest, _ := strings.Cut(word, ":")
	switch {
	case word == readyAuto:
		return worker.Readiness{Kind: worker.ReadyAuto}, nil
	case word == "notify":
		return worker.Readiness{Kind: worker.ReadyNotify}, nil
	case word == "tcp":
		return worker.Readiness{Kind: worker.ReadyTCP}, nil
	case kind == "http":
		path, err := r.readyPath(rest, p)
		return worker.Readiness{Kind: worker.ReadyHTTP, Path: path}, err
	case kind == "exec" && strings.TrimSpace(rest) != "":
		return worker.Readiness{Kind: worker.ReadyExec, Command: rest}, nil
	case kind == "delay":
		d, err := ParseDuration(rest)
		if err != nil {
			return worker.Readiness{}, hinted(errReadyDelay, strings.ReplaceAll(hintOf(err), `"`+rest, `"delay:`+rest))
		}
		return worker.Readiness{Kind: worker.ReadyDelay, Delay: time.Duration(d)}, nil
	}
	return worker.Readiness{}, hinted(errReady, didYouMeanOnly(word, []string{"auto", "notify", "tcp"}))
}

// readyPath reads what follows http: — a path, or a whole URL, whose host and port then are those of a listener of the
// pool: a probe goes to one worker, wherever that is.
func (r *resolver) readyPath(rest string, p *Pool) (string, error) {
	host, path := "", rest
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		host, path, _ = strings.Cut(after, "/")
		path = "/" + path
	}
	u, err := url.ParseRequestURI(path)
	if err != nil || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " #") || u.Host != "" {
		return "", errReadyPath
	}
	if host == "" && strings.HasPrefix(rest, "//") {
		return "", hinted(errReadyPath, "write http:"+path)
	}
	reachable := func(l listener.Config) bool {
		a, err := listener.ParseAddress(host)
		return err == nil && a.Port == l.Address.Port && (a.Host == l.Address.Host || anyHost(l.Address.Host) || isLoopback(a.Host) && isLoopback(l.Address.Host))
	}
	if host != "" && !slices.Contains(p.Listen, everything) && !slices.ContainsFunc(r.listenersOf(p), reachable) {
		return "", hinted(errors.New(host+" is the address of no listener of the pool"), "brood asks the worker itself: write http:"+path)
	}
	return path, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

func anyHost(host string) bool { return host == "" || host == "0.0.0.0" || host == "::" }

// listenersOf are those of a pool that could be read.
func (r *resolver) listenersOf(p *Pool) []listener.Config {
	var all []listener.Config
	for _, name := range p.Listen {
		if l, ok := r.listeners[name]; ok {
			all = append(all, l)
		}
	}
	return all
}
