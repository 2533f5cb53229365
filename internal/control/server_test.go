package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/broodctl/brood/internal/fleet"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/events"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a supervisor that answers what it is told to.
type fake struct {
	verdict supervisor.Verdict
	asked   []supervisor.Request
	block   bool
	changed chan struct{}
	feed    *events.Feed
}

func (f *fake) Events() *events.Feed { return f.feed }

func (f *fake) Fleets(_ context.Context, name string) ([]fleet.View, error) {
	if name == "" || name == "web" {
		return []fleet.View{{Name: "web", State: fleet.Open, Members: []fleet.MemberView{}}}, nil
	}
	return nil, fmt.Errorf("%w: %q (there is: web)", supervisor.ErrNoFleet, name)
}

func (f *fake) Document() json.RawMessage { return json.RawMessage(`{"pool":{}}`) }

func (f *fake) Changed() <-chan struct{} { return f.changed }

func (f *fake) Snapshot() supervisor.Snapshot {
	return supervisor.Snapshot{Name: "web", PID: 7, Pools: []supervisor.PoolView{{Name: "web", Desired: 4}}}
}

func (f *fake) Measured() supervisor.Snapshot { return f.Snapshot() }

func (f *fake) Published() *supervisor.Snapshot { return new(f.Snapshot()) }

func (f *fake) Do(ctx context.Context, req supervisor.Request) supervisor.Verdict {
	f.asked = append(f.asked, req)
	if f.block {
		<-ctx.Done()
		return supervisor.Verdict{Err: ctx.Err()}
	}
	return f.verdict
}

func start(t *testing.T, sup Supervisor) *Client {
	t.Helper()
	path := filepath.Join(t.TempDir(), "web.sock")
	socket, err := Listen(path, Access{})
	if err != nil {
		t.Fatal(err)
	}
	server := Serve(socket, sup, Options{})
	t.Cleanup(func() {
		server.Close()
		socket.Remove()
		if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	return NewClient(path)
}

func TestStatusComesThroughAsItIs(t *testing.T) {
	f := &fake{}
	got, err := start(t, f).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f.Snapshot(), got); diff != "" {
		t.Error(diff)
	}
}

func TestRequestsReachTheSupervisor(t *testing.T) {
	f := &fake{verdict: supervisor.Verdict{Text: "pool web goes to 6 workers"}}
	result, err := start(t, f).Do(t.Context(), supervisor.Scale, Body{Pool: "web", Workers: 6}, 0)
	if err != nil || result.Text != f.verdict.Text {
		t.Errorf("%+v, %v", result, err)
	}
	want := []supervisor.Request{{Verb: supervisor.Scale, Pool: "web", Workers: 6, UID: os.Geteuid(), PID: os.Getpid(), Ticket: "op-1"}}
	if diff := cmp.Diff(want, f.asked); diff != "" {
		t.Error(diff)
	}
}

func TestReloadMayBeAborted(t *testing.T) {
	f := &fake{}
	if _, err := start(t, f).Do(t.Context(), supervisor.Reload, Body{Abort: true}, 0); err != nil || len(f.asked) != 1 || !f.asked[0].Abort {
		t.Errorf("%+v, %v", f.asked, err)
	}
}

func TestPlanComesThroughAsItIs(t *testing.T) {
	f := &fake{verdict: supervisor.Verdict{Text: "1 pool rolls", Data: json.RawMessage(`{"pools": [{"name": "web"}]}`)}}
	result, err := start(t, f).Do(t.Context(), supervisor.Plan, Body{}, 0)
	var got, want any
	if err = errors.Join(err, json.Unmarshal(result.Plan, &got), json.Unmarshal(f.verdict.Data, &want)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRefusalCarriesReasonAndLastLines(t *testing.T) {
	f := &fake{verdict: supervisor.Verdict{Err: errors.New("worker web.0 died"), Lines: []string{"no table"}}}
	result, err := start(t, f).Do(t.Context(), supervisor.Roll, Body{}, time.Minute)
	if !errors.Is(err, ErrRefused) || err.Error() != "worker web.0 died" || !cmp.Equal(result.Lines, []string{"no table"}) {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestRollWithoutWaitingIsAccepted(t *testing.T) {
	result, err := start(t, &fake{block: true}).Do(t.Context(), supervisor.Roll, Body{}, 0)
	if err != nil || !result.Accepted {
		t.Errorf("%+v, %v", result, err)
	}
}

// TestPatienceBeyondADay: the server would refuse to wait as long as that.
func TestPatienceBeyondADay(t *testing.T) {
	f := &fake{verdict: supervisor.Verdict{Text: "done"}}
	if result, err := start(t, f).Do(t.Context(), supervisor.Roll, Body{}, 25*time.Hour); err != nil || result.Text != "done" {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestNobodyAnswers(t *testing.T) {
	_, err := NewClient(filepath.Join(t.TempDir(), "none.sock")).Status(t.Context())
	if !errors.Is(err, ErrNoAnswer) {
		t.Errorf("%v", err)
	}
}

func TestBodiesThatMakeNoSenseChangeNothing(t *testing.T) {
	f := &fake{}
	client := start(t, f)
	for _, tc := range []struct{ path, body string }{
		{"/v1/scale", `{"workers": 6, "colour": "red"}`},
		{"/v1/scale", `{"workers": "six"}`},
		{"/v1/scale", `{"workers": 6} {}`},
		{"/v1/scale", `{"workers": 6, "delta": 1}`},
		{"/v1/scale", `{}`},
		{"/v1/roll", `{"workers": 6}`},
		{"/v1/scale", `{"workers": 6, "abort": true}`},
		{"/v1/plan", `{"abort": true}`},
		{"/v1/plan", `{"pool": "web"}`},
		{"/v1/roll", `{"wait_seconds": -1}`},
		{"/v1/roll", `{"wait_seconds": 1e300}`},
		{"/v1/roll", `not JSON`},
		{"/v1/roll", `{} }`},
		{"/v1/roll", `{"slot": 1}`},
		{"/v1/roll", `{"signal": "HUP"}`},
		{"/v1/restart", `{"slot": 1}`},
		{"/v1/restart", `{"pool": "web"}`},
		{"/v1/restart", `{"pool": "web", "slot": 1, "force": true}`},
		{"/v1/signal", `{"pool": "web"}`},
		{"/v1/signal", `{"signal": "USR1"}`},
		{"/v1/signal", `{"pool": "web", "signal": "USR9"}`},
		{"/v1/signal", `{"pool": "web", "signal": "0"}`},
		{"/v1/roll?pool=web", `{}`},
	} {
		resp, err := client.http.Post("http://brood"+tc.path, "application/json", strings.NewReader(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s %.40s: status %d", tc.path, tc.body, resp.StatusCode)
		}
	}
	for path, want := range map[string]int{"/v1/nosuch": http.StatusNotFound, "/v1/status": http.StatusMethodNotAllowed} {
		resp, err := client.http.Post("http://brood"+path, "application/json", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("POST %s: status %d, want %d", path, resp.StatusCode, want)
		}
	}
	if len(f.asked) > 0 {
		t.Errorf("asked for %+v", f.asked)
	}
}

func FuzzReadBody(f *testing.F) {
	for _, s := range []string{``, `{}`, `{"workers": 6}`, `{"wait_seconds": 0.5, "pool": "web"}`, `[]`, `{"delta": -1}x`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		body, err := readBody(strings.NewReader(s))
		if err == nil && (body.Wait < 0 || body.Wait > maxWait.Seconds()) {
			t.Errorf("accepted %+v", body)
		}
	})
}
