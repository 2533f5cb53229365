package control

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/broodctl/brood/supervisor"
)

// try asks as user 1<<20 in place of our own.
func (access Access) try(t *testing.T, path string, server *Server, method, target string) Failure {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // streams end at once
	r := httptest.NewRequestWithContext(context.WithValue(ctx, callerKey{}, identified{caller: caller{uid: 1 << 20, gid: 1 << 20}}), method, target, http.NoBody)
	w := httptest.NewRecorder()
	guard(path, access, server.next).ServeHTTP(w, r)
	if w.Code < 400 {
		return Failure{}
	}
	return read[Failure](t, target, w.Result(), w.Code)
}

// slow is a supervisor whose requests end when the test says so, and whose pool has the workers that it says.
type slow struct {
	publisher
	verdicts chan supervisor.Verdict
	pool     supervisor.PoolView
}

func newSlow() *slow {
	s := &slow{verdicts: make(chan supervisor.Verdict, 1), pool: supervisor.PoolView{Name: "web", Phase: phaseServing, Desired: 2, Ready: 2}}
	s.next = make(chan struct{})
	return s
}

func (s *slow) Snapshot() supervisor.Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return supervisor.Snapshot{Started: began, Pools: []supervisor.PoolView{s.pool}}
}

func (s *slow) Measured() supervisor.Snapshot { return s.Snapshot() }

func (s *slow) Published() *supervisor.Snapshot { return new(s.Snapshot()) }

func (s *slow) become(change func(*supervisor.PoolView)) {
	s.mu.Lock()
	change(&s.pool)
	s.mu.Unlock()
	s.publish()
}

func (s *slow) Do(ctx context.Context, _ supervisor.Request) supervisor.Verdict {
	select {
	case v := <-s.verdicts:
		return v
	case <-ctx.Done():
		return supervisor.Verdict{Err: fmt.Errorf("cannot wait: %w", ctx.Err())}
	}
}

func TestOperationGoesOnWhenNobodyWaits(t *testing.T) {
	s := newSlow()
	client := start(t, s)
	accepted := post[Result](t, client, "/v1/roll", `{"pool": "web"}`, 202)
	if !accepted.Accepted || accepted.Operation != "op-1" {
		t.Fatalf("%+v", accepted)
	}
	if got := get[Operation](t, client, PathOperations+"/op-1", 200); got.State != OperationRunning || got.Verb != supervisor.Roll || got.Pool != "web" || got.UID == nil {
		t.Errorf("%+v", got)
	}
	late := make(chan Operation, 1)
	go func() { late <- get[Operation](t, client, PathOperations+"/op-1?wait_seconds=60", 200) }()
	s.verdicts <- supervisor.Verdict{Err: fmt.Errorf("worker died: %w", supervisor.ErrRollout), Lines: []string{"no table"}}
	got := <-late
	if got.State != OperationFailed || got.Code != CodeRollout || got.Error == "" || len(got.Lines) != 1 || got.Ended.IsZero() {
		t.Errorf("%+v", got)
	}
	if list := get[Operations](t, client, PathOperations+"?state=failed", 200); len(list.Operations) != 1 || list.Operations[0].ID != "op-1" {
		t.Errorf("%+v", list)
	}
	if list := get[Operations](t, client, PathOperations+"?state=running", 200); len(list.Operations) != 0 {
		t.Errorf("%+v", list)
	}
	for path, want := range map[string]int{"/op-2": 404, "/x": 404, "/op-1?wait_seconds=x": 400, "/op-1?wait_seconds=-1": 400, "/op-1?wait_seconds=NaN": 400, "?state=odd": 400} {
		get[Failure](t, client, PathOperations+path, want)
	}
}

// An error that knows what may help tells so, at once and later.
func TestHints(t *testing.T) {
	s := newSlow()
	client := start(t, s)
	s.verdicts <- supervisor.Verdict{Err: fmt.Errorf("cannot scale pool web: %w", lowPort{})}
	if got := post[Failure](t, client, "/v1/scale", `{"workers": 5, "wait_seconds": 60}`, 409); got.Hint != "take a higher one" {
		t.Errorf("%+v", got)
	}
	if got := get[Operation](t, client, PathOperations+"/op-1", 200); got.Hint != "take a higher one" {
		t.Errorf("%+v", got)
	}
}

type lowPort struct{}

func (lowPort) Error() string { return "cannot bind" }
func (lowPort) Hint() string  { return "take a higher one" }

func TestVerdictInTime(t *testing.T) {
	s := newSlow()
	client := start(t, s)
	s.verdicts <- supervisor.Verdict{Text: "pool web is at generation 2"}
	if got := post[Result](t, client, "/v1/roll", `{"wait_seconds": 60}`, 200); got.Text == "" || got.Operation != "op-1" {
		t.Errorf("%+v", got)
	}
	if got := post[Failure](t, client, "/v1/roll", `{"wait_seconds": 0.3}`, 504); got.Code != CodeTimeout || got.Operation != "op-2" || !got.Accepted {
		t.Errorf("%+v", got)
	}
}

// A scaling is answered at once, as it always was; its operation ends when the workers are there.
func TestScalingEndsWithTheWorkers(t *testing.T) {
	s := newSlow()
	client := start(t, s)
	s.become(func(p *supervisor.PoolView) { p.Desired, p.Ready = 3, 2 })
	s.verdicts <- supervisor.Verdict{Text: "pool web goes to 3 workers"}
	if got := post[Result](t, client, "/v1/scale", `{"workers": 3, "wait_seconds": 60}`, 200); got.Accepted || got.Operation != "op-1" {
		t.Errorf("%+v", got)
	}
	if got := get[Operation](t, client, PathOperations+"/op-1", 200); got.State != OperationRunning {
		t.Errorf("%+v", got)
	}
	s.become(func(p *supervisor.PoolView) { p.Ready, p.StandsBy = 2, 1 }) // the leader is elsewhere
	if got := get[Operation](t, client, PathOperations+"/op-1?wait_seconds=60", 200); got.State != OperationDone || got.Text == "" {
		t.Errorf("%+v", got)
	}
	s.verdicts <- supervisor.Verdict{}
	s.become(func(p *supervisor.PoolView) { p.Desired = 4 })
	if got := post[Result](t, client, "/v1/scale", `{"workers": 4}`, 200); got.Operation != "op-2" {
		t.Errorf("%+v", got)
	}
	s.become(func(p *supervisor.PoolView) { p.Desired = 2 })
	if got := get[Operation](t, client, PathOperations+"/op-2?wait_seconds=60", 200); got.Code != CodeOvertaken {
		t.Errorf("%+v", got)
	}
	s.verdicts <- supervisor.Verdict{Text: "stopping"}
	if got := post[Result](t, client, "/v1/stop", `{}`, 200); got.Operation != "op-3" {
		t.Errorf("%+v", got)
	}
	s.become(func(p *supervisor.PoolView) { p.Phase = phaseExited })
	if got := get[Operation](t, client, PathOperations+"/op-3?wait_seconds=60", 200); got.State != OperationDone {
		t.Errorf("%+v", got)
	}
}

// A hundred are kept. While all of them go on there is no room for another one, but for what ends them.
func TestOperationsAreBounded(t *testing.T) {
	s := newSlow()
	client := start(t, s)
	var asking sync.WaitGroup
	for range operationsKept {
		asking.Go(func() { post[Result](t, client, "/v1/roll", "", 202) })
	}
	asking.Wait()
	if got := post[Failure](t, client, "/v1/roll", "", 429); got.Code != CodeTooMany {
		t.Errorf("%+v", got)
	}
	for _, path := range []string{"/v1/stop", "/v1/kill"} {
		post[Result](t, client, path, "", 202)
	}
	post[Result](t, client, "/v1/roll", `{"abort": true}`, 202)
	if got := get[Operations](t, client, PathOperations, 200); len(got.Operations) != operationsKept {
		t.Errorf("%d are kept", len(got.Operations))
	}
}

// A hundred scalings whose workers never come keep nobody out: they have been answered.
func TestAimsThatAreNotReachedMakeRoom(t *testing.T) {
	s := newSlow()
	s.pool.Ready = 0
	server, client := serve(t, s)
	t.Cleanup(server.Close)
	for range operationsKept {
		s.verdicts <- supervisor.Verdict{}
		post[Result](t, client, "/v1/scale", `{"workers": 2}`, 200)
	}
	first := server.api.ops.find("op-1")
	post[Result](t, client, "/v1/roll", "", 202)
	<-first.ended // who waits for it is not forgotten
	if got := server.api.ops.of(first); got.State != OperationFailed || got.Code != CodeOvertaken {
		t.Errorf("%+v", got)
	}
	if got := get[Operations](t, client, PathOperations, 200).Operations; len(got) != operationsKept || got[0].ID != "op-2" {
		t.Errorf("%d are kept, the first is %+v", len(got), got[0])
	}
}

// A request that ends after its server has ended does nothing, and is told so: pages for browsers are served a little longer.
func TestNoOperationAfterTheEnd(t *testing.T) {
	f := &fake{verdict: supervisor.Verdict{Text: "done"}}
	server, _ := serve(t, f)
	h := server.Web(&Tokens{Write: writeTokenFile(t)})
	server.Close()
	w := askWeb(t, h, http.MethodPost, "/v1/roll", writeToken)
	if got := read[Failure](t, "roll", w.Result(), http.StatusServiceUnavailable); got.Code != CodeStopping || len(f.asked) > 0 {
		t.Errorf("%+v, asked for %+v", got, f.asked)
	}
}
