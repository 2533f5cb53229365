package control

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/events"
)

// house is a supervisor of two pools.
type house struct{ fake }

var began = time.UnixMilli(1_700_000_000_123)

func newHouse() *house { return &house{fake{feed: events.NewFeed(), changed: make(chan struct{})}} }

func (h *house) Snapshot() supervisor.Snapshot {
	return supervisor.Snapshot{
		Name: "shop", State: "ready", Started: began, Config: supervisor.ConfigView{File: "/etc/shop.toml"},
		Pools: []supervisor.PoolView{
			{Name: "web", Phase: phaseServing, Desired: 2, Ready: 2, Workers: []supervisor.WorkerView{
				{Slot: 0, PID: 10, State: "ready"}, {Slot: 1, PID: 11, State: "ready"}, {Slot: 1, PID: 12, State: "starting"},
			}},
			{Name: "mail", Phase: phaseServing, Desired: 1, Ready: 1, Workers: []supervisor.WorkerView{{Slot: 0, PID: 20, State: "ready"}}},
		},
	}
}

func (h *house) Measured() supervisor.Snapshot { return h.Snapshot() }

func (h *house) Published() *supervisor.Snapshot { return new(h.Snapshot()) }

// get asks for a path, and reads what comes as JSON.
func get[T any](t *testing.T, client *Client, path string, want int) T {
	t.Helper()
	resp, err := client.http.Get("http://brood" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return read[T](t, path, resp, want)
}

func post[T any](t *testing.T, client *Client, path, body string, want int) T {
	t.Helper()
	resp, err := client.http.Post("http://brood"+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return read[T](t, path, resp, want)
}

func read[T any](t *testing.T, path string, resp *http.Response, want int) T {
	t.Helper()
	var v T
	text, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, json.Unmarshal(text, &v)); err != nil {
		t.Fatalf("%s: %v in %s", path, err, text)
	}
	if resp.StatusCode != want || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s: status %d (%s), want %d: %s", path, resp.StatusCode, resp.Header.Get("Content-Type"), want, text)
	}
	return v
}

func TestPools(t *testing.T) {
	client := start(t, newHouse())
	if got := get[Pools](t, client, PathPools, 200); len(got.Pools) != 2 || got.Pools[1].Name != "mail" {
		t.Errorf("%+v", got)
	}
	if got := get[supervisor.PoolView](t, client, PathPools+"/mail", 200); got.Name != "mail" || len(got.Workers) != 1 {
		t.Errorf("%+v", got)
	}
	if got := get[Failure](t, client, PathPools+"/nosuch", 404); got.Code != CodeNoPool || !strings.Contains(got.Error, "web, mail") {
		t.Errorf("%+v", got)
	}
}

func TestWorkersAreFiltered(t *testing.T) {
	client := start(t, newHouse())
	for query, want := range map[string][]int{
		"":                           {10, 11, 12, 20},
		"?pool=web":                  {10, 11, 12},
		"?pool=web&pool=mail":        {10, 11, 12, 20},
		"?slot=0":                    {10, 20},
		"?slot=1&pool=web":           {11, 12},
		"?slot=1&state=starting":     {12},
		"?slot=7":                    nil,
		"?state=ready&slot=0&slot=1": {10, 11, 20},
	} {
		var pids []int
		for _, w := range get[Workers](t, client, PathWorkers+query, 200).Workers {
			pids = append(pids, w.PID)
		}
		if !slices.Equal(pids, want) {
			t.Errorf("%s: %v, want %v", query, pids, want)
		}
	}
	for query, code := range map[string]Code{"?pool=nosuch": CodeNoPool, "?slot=x": CodeBadRequest, "?slot=-1": CodeBadRequest, "?colour=red": CodeBadRequest, "?a=%zz": CodeBadRequest} {
		status := http.StatusBadRequest
		if code == CodeNoPool {
			status = http.StatusNotFound
		}
		if got := get[Failure](t, client, PathWorkers+query, status); got.Code != code {
			t.Errorf("%s: %+v", query, got)
		}
	}
}

func TestConfigOfFile(t *testing.T) {
	got := get[Config](t, start(t, newHouse()), PathConfig, 200)
	if got.File != "/etc/shop.toml" || string(got.Config) == "" {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsNoRoute(t *testing.T) {
	client := start(t, newHouse())
	if got := get[Failure](t, client, "/v1/nosuch", 404); got.Code != CodeNotFound {
		t.Errorf("%+v", got)
	}
	if got := get[Failure](t, client, "/v1/roll", 405); got.Code != CodeMethod {
		t.Errorf("%+v", got)
	}
	if got := post[Failure](t, client, PathStatus, "", 405); got.Code != CodeMethod {
		t.Errorf("%+v", got)
	}
	if got := post[Failure](t, client, "/v1/roll", `{"pool": "`+strings.Repeat("x", maxBody)+`"}`, 413); got.Code != CodeTooLarge {
		t.Errorf("%+v", got)
	}
	req, err := http.NewRequest(http.MethodGet, "http://brood"+PathStatus, strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := read[Failure](t, "GET with a body", resp, 400); got.Code != CodeBadRequest {
		t.Errorf("%+v", got)
	}
}

func TestWhoMayOnlyRead(t *testing.T) {
	// A caller cannot change who it is, so the guard is asked without a socket.
	path := filepath.Join(t.TempDir(), "s")
	socket, err := Listen(path, Access{})
	if err != nil {
		t.Fatal(err)
	}
	server := Serve(socket, newHouse(), Options{})
	defer socket.Remove()
	defer server.Close()
	reader := Access{Read: &Grant{UIDs: []int{1 << 20}}}
	for _, rt := range server.api.routes() {
		got := reader.try(t, path, server, rt.method, strings.NewReplacer("{pool}", "web", "{id}", "op-1").Replace(rt.path))
		if rt.need == mayRead && got.Code == CodeReadOnly || rt.need == mayWrite && got.Code != CodeReadOnly {
			t.Errorf("%s %s: %+v", rt.method, rt.path, got)
		}
	}
}
