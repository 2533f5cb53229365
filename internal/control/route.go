package control

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/broodctl/brood/internal/fleet"
	"github.com/broodctl/brood/supervisor"
)

// route is one path and method that the API serves. docs/openapi.yaml is compared with the table of them.
type route struct {
	method, path string
	need         permission
	query        []string // the parameters that it knows
	takes        any      // the type of the body; nil if there is none
	gives        any      // the type of the answer, or of each piece of a stream
	handle       http.HandlerFunc
}

// routes is the whole API.
func (a *api) routes() []route {
	all := []route{
		{path: PathStatus, need: mayGlance, gives: supervisor.Snapshot{}, handle: a.status},
		{path: PathWatch, gives: supervisor.Snapshot{}, handle: a.watchers.ServeHTTP},
		{path: PathPools, gives: Pools{}, handle: a.pools},
		{path: PathPools + "/{pool}", gives: supervisor.PoolView{}, handle: a.pool},
		{path: PathWorkers, query: []string{"pool", "slot", "state"}, gives: Workers{}, handle: a.workers},
		{path: PathFleets, gives: Fleets{}, handle: a.fleets},
		{path: PathFleets + "/{fleet}", gives: fleet.View{}, handle: a.fleet},
		{path: PathConfig, gives: Config{}, handle: a.config},
		{path: PathEvents, need: mayGlance, query: []string{"after", "follow", "pool", "kind"}, gives: Event{}, handle: a.events},
		{path: PathLogs, query: []string{"pool", "slot", "stream", "since", "lines", "follow"}, gives: LogLine{}, handle: a.logs},
		{path: PathMetrics, gives: "", handle: a.metrics},
		{path: PathOperations, query: []string{"state"}, gives: Operations{}, handle: a.operations},
		{path: PathOperations + "/{id}", query: []string{"wait_seconds"}, gives: Operation{}, handle: a.operation},
	}
	for i := range all {
		all[i].method, all[i].need = http.MethodGet, max(all[i].need, mayRead)
	}
	for _, req := range requests() {
		all = append(all, route{
			method: http.MethodPost, path: PathVerb + string(req.verb), need: req.need, takes: Body{}, gives: Result{},
			handle: func(w http.ResponseWriter, r *http.Request) { a.do(w, r, req) },
		})
	}
	return all
}

// handler serves the routes, and answers in their own form what is none of them.
func (a *api) handler() http.Handler {
	mux := http.NewServeMux()
	methods := map[string][]string{}
	for _, rt := range a.routes() {
		methods[rt.path] = append(methods[rt.path], rt.method)
		mux.HandleFunc(rt.method+" "+rt.path, rt.serve)
	}
	for path, known := range methods {
		allow := strings.Join(known, ", ")
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", allow)
			refuse(w, http.StatusMethodNotAllowed, CodeMethod, fmt.Sprintf("cannot %s %s: it takes %s", r.Method, r.URL.Path, allow))
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, CodeNotFound, "there is no "+r.URL.Path)
	})
	return mux
}

// serve lets through who may, and what makes sense.
func (rt *route) serve(w http.ResponseWriter, r *http.Request) {
	switch who := callerIn(r.Context()); {
	case who.may.includes(rt.need):
	case who.may == mayGlance:
		refuseStranger(w)
		return
	default:
		refuse(w, http.StatusForbidden, CodeReadOnly, fmt.Sprintf("%s may look, and change nothing", who))
		return
	}
	if err := rt.checkQuery(r.URL.RawQuery); err != nil {
		refuse(w, http.StatusBadRequest, CodeBadRequest, err.Error())
		return
	}
	rt.handle(w, r)
}

// checkQuery refuses parameters that the route does not know, as unknown fields of a body are: who filters by what is not
// there would get everything.
func (rt *route) checkQuery(raw string) error {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return fmt.Errorf("cannot read query: %w", err)
	}
	for name := range values {
		if !slices.Contains(rt.query, name) {
			return fmt.Errorf("cannot read query: unknown parameter %q (there is: %s)", name, strings.Join(rt.query, ", "))
		}
	}
	return nil
}
