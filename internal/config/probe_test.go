package config

import (
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/broodctl/brood/internal/probe"
	"github.com/broodctl/brood/supervisor/plan"
)

// probed is a pool with a sharded, a per-slot and a shared listener.
const probed = "[listen.http]\naddress = \":8080\"\n[listen.own]\naddress = \"127.0.0.1:9000\"\nmode = \"per-slot\"\n" +
	"[listen.sock]\naddress = \"unix:/run/x\"\n" + poolHead + "listen = [\"http\", \"own\", \"sock\"]\n"

// asked is a probe with the defaults.
func asked(c probe.Config) *plan.Probe { return &plan.Probe{Config: c.WithDefaults()} }

func TestProbes(t *testing.T) {
	for line, want := range map[string]*plan.Probe{
		`{http = "/livez"}`:       asked(probe.Config{Kind: probe.HTTP, Path: "/livez"}),
		`{http = "https:/x?y=z"}`: asked(probe.Config{Kind: probe.HTTP, Path: "/x?y=z", TLS: probe.Unverified}),
		`{grpc = ""}`:             asked(probe.Config{Kind: probe.GRPC}),
		`{grpc = "shop.Web"}`:     asked(probe.Config{Kind: probe.GRPC, Service: "shop.Web"}),
		`{exec = "test -e /x"}`:   asked(probe.Config{Kind: probe.Exec, Command: "test -e /x"}),
		// With a per-slot listener it is stop-first: a slot tells all of its workers apart.
		`{tcp = ":{{.Port.own}}"}`:        asked(probe.Config{Kind: probe.TCP, Address: ":{{.Port.own}}"}),
		`{unix = "/run/{{.Slot}}.sock"}`:  asked(probe.Config{Kind: probe.Unix, Address: "unix:/run/{{.Slot}}.sock"}),
		`{unix = "@{{.WorkerID}}"}`:       asked(probe.Config{Kind: probe.Unix, Address: "unix:@{{.WorkerID}}"}),
		`{http = "/", listener = "own"}`:  {Config: asked(probe.Config{Kind: probe.HTTP, Path: "/"}).Config, Listener: "own"},
		`{http = "/", listener = "http"}`: {Config: asked(probe.Config{Kind: probe.HTTP, Path: "/"}).Config, Listener: "http"},
		`{http = "/", address = "127.0.0.1:80{{.WorkerID}}0", host = "a.example", headers = {B = "2", A = "1"}, body = "^ok"}`: asked(probe.Config{
			Kind: probe.HTTP, Path: "/", Address: "127.0.0.1:80{{.WorkerID}}0", Host: "a.example",
			Headers: []probe.Header{{Name: "A", Value: "1"}, {Name: "B", Value: "2"}}, Body: regexp.MustCompile("^ok"),
		}),
		`{exec = "x", initial_delay = "3s", period = "2s", timeout = "4s", success_threshold = 2, failure_threshold = 5}`: asked(probe.Config{
			Kind: probe.Exec, Command: "x", InitialDelay: 3 * time.Second, Period: 2 * time.Second, Timeout: 4 * time.Second,
			SuccessThreshold: 2, FailureThreshold: 5,
		}),
	} {
		c, err := read(probed+"readiness = "+line+"\n", brokenWorld())
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if diff := cmp.Diff(want, c.Pools[0].Health.Readiness, sameText); diff != "" {
			t.Errorf("%s (- wanted, + got):\n%s", line, diff)
		}
	}
}

// A set of statuses is what it contains, however it is written.
func TestStatusOfAProbe(t *testing.T) {
	c, err := read(probed+`liveness = {http = "/", status = "2xx, 418"}`+"\n", brokenWorld())
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Pools[0].Health.Liveness.Status.String(); got != "200-299,418" {
		t.Error(got)
	}
}

// Nobody can know which sockets systemd will pass.
func TestProbesOfUnknownSockets(t *testing.T) {
	for _, line := range []string{`{http = "/"}`, `{http = "/", listener = "api"}`, `{tcp = ":{{.Port.api}}"}`} {
		if _, err := read(poolHead+"listen = [\"*\"]\nliveness = "+line+"\n", brokenWorld()); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	if _, err := read("[listen.a]\naddress = \"systemd:a\"\n"+poolHead+"listen = [\"a\"]\nliveness.grpc = \"\"\n", brokenWorld()); err != nil {
		t.Error(err)
	}
}

// One worker that is replaced stop-first is asked where it is, without anything to tell it apart by.
func TestAddressOfOneWorker(t *testing.T) {
	const head = poolHead + "workers = 1\nrollout.order = \"stop-first\"\n"
	for _, role := range []string{"startup", "readiness", "liveness"} {
		if _, err := read(head+role+" = {tcp = \":9100\"}\n", brokenWorld()); err != nil {
			t.Error(err)
		}
	}
	if _, err := read(poolHead+"workers = 1\nliveness = {tcp = \":9100\"}\n", brokenWorld()); err != nil {
		t.Error(err) // an incumbent that answers once for its successor kills nobody
	}
}

// What proves readiness beside a probe is only what somebody chose.
func TestReadyBesideReadiness(t *testing.T) {
	for line, want := range map[string]bool{
		"": false, "ready = \"notify\"": false, "readiness.exec = \"true\"": false,
		"ready = \"auto\"\nreadiness.exec = \"true\"": true, "ready = \"notify\"\nreadiness.exec = \"true\"": true,
	} {
		c, err := read(poolHead+line+"\n", brokenWorld())
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Pools[0].ReadySaid; got != want {
			t.Errorf("%q: said is %t", line, got)
		}
	}
}

// The deadline of a start waits for its probe.
func TestReadyTimeoutWithStartup(t *testing.T) {
	for line, want := range map[string]time.Duration{
		`startup.exec = "true"`: 90 * time.Second,
		`startup = {exec = "true", initial_delay = "5s", period = "2s", failure_threshold = 30}`: 125 * time.Second,
		`startup = {exec = "true", period = "200000h", failure_threshold = 2147483647}`:          0,
		`readiness = {exec = "true", period = "1h"}`:                                             time.Minute,
		"startup.exec = \"true\"\nrollout.ready_timeout = \"30s\"":                               30 * time.Second,
		"startup = {exec = \"true\", period = \"1h\"}\nrollout.ready_timeout = \"0s\"":           0,
	} {
		c, err := read(poolHead+line+"\n", brokenWorld())
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if got := c.Pools[0].Spec.ReadyTimeout; got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}
