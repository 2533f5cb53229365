package supervisor

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/internal/probe"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

// asking is a probe over HTTP.
func asking(path string) *plan.Probe {
	return &plan.Probe{Config: probe.Config{Kind: probe.HTTP, Path: path}}
}

// single is a pool of one worker that is asked for its health.
func single(change func(*plan.Pool)) func(*Config) {
	return func(c *Config) {
		p := &c.Desired.Pools[0]
		p.Spec.Workers = 1
		change(p)
	}
}

func broken(_ int, p *fakeProcess) { p.mood.status = 503 }

// Whatever a worker says, it passes one gate after the other.
func TestGatesArePassedInOrder(t *testing.T) {
	w := &world{lanes: true, behave: broken}
	all := single(func(p *plan.Pool) {
		p.Health.Startup, p.Health.Readiness, p.ReadySaid = asking("/startup"), asking("/readiness"), true
	})
	perform(t, w, all, func(s *stage) {
		p := w.process(0)
		s.after(time.Second)
		if len(s.logged("worker ready")) != 0 {
			t.Error("ready by what it said, before its startup probe has passed")
		}
		v := s.sup.Snapshot().Pools[0].Workers[0]
		if v.State != "starting" || v.Health != "startup: status 503 (no body)" {
			t.Errorf("worker: %+v", v)
		}
		p.set(func(m *mood) { m.status = 200 })
		s.after(200 * time.Millisecond)
		ready := s.logged("worker ready")
		if len(ready) != 1 || ready[0]["how"] != "probed" {
			t.Errorf("ready: %v", ready)
		}
		s.want("start 100", "steer 0a")
	})
}

func TestReadinessProbeStandsForTheProofThatNobodyChose(t *testing.T) {
	for _, said := range []bool{false, true} {
		w := &world{lanes: true, behave: func(_ int, p *fakeProcess) { p.ready = -1 }}
		change := single(func(p *plan.Pool) { p.Health.Readiness, p.ReadySaid = asking("/"), said })
		perform(t, w, change, func(s *stage) {
			s.after(time.Second)
			if is := len(s.logged("worker ready")) == 1; is == said {
				t.Errorf("chosen %t, ready %t", said, is)
			}
			w.process(0).say(handshake.Message{Ready: true})
			s.after(time.Second)
			if len(s.logged("worker ready")) != 1 {
				t.Errorf("chosen %t, not ready at last", said)
			}
		})
	}
}

// A worker that starts is awaited, whatever the period; but a probe that wants several answers gets them.
func TestStartingWorkerIsAskedQuickly(t *testing.T) {
	w := &world{lanes: true, behave: broken}
	change := single(func(p *plan.Pool) {
		p.Health.Readiness = asking("/")
		p.Health.Readiness.InitialDelay, p.Health.Readiness.Period = 5*time.Second, time.Hour
		p.Health.Readiness.SuccessThreshold = 3
	})
	perform(t, w, change, func(s *stage) {
		s.after(6 * time.Second)
		w.process(0).set(func(m *mood) { m.status = 0 })
		s.after(400 * time.Millisecond)
		if len(s.logged("worker ready")) != 0 {
			t.Error("ready after two answers")
		}
		s.after(200 * time.Millisecond)
		if len(s.logged("worker ready")) != 1 {
			t.Error("not ready after three answers")
		}
	})
}

func TestCommandsAreProbesToo(t *testing.T) {
	fails := 3
	w := &world{behave: func(_ int, p *fakeProcess) {
		if p.isChore() && fails > 0 {
			fails--
			p.exit = worker.Exit{Code: 7}
		}
	}}
	change := single(func(p *plan.Pool) {
		p.Health.Startup = &plan.Probe{Config: probe.Config{Kind: probe.Exec, Command: "ask $BROOD_PID"}}
	})
	perform(t, w, change, func(s *stage) {
		s.after(200 * time.Millisecond)
		if v := s.sup.Snapshot().Pools[0].Workers[0]; v.Health != "startup: check ended with exit 7" {
			t.Errorf("worker: %+v", v)
		}
		s.after(time.Second)
		s.want("start 100", "run ask $BROOD_PID", "run ask $BROOD_PID", "run ask $BROOD_PID", "run ask $BROOD_PID", "steer 0a")
		if got := w.process(1).env("BROOD_PID"); got != "100" {
			t.Errorf("BROOD_PID=%s", got)
		}
	})
}

// What is asked may have an address of its own in each worker.
func TestAddressOfAProbeIsATemplate(t *testing.T) {
	perform(t, &world{}, nil, func(s *stage) {
		p := s.sup.pools[0]
		for ref, rec := range p.workers {
			c := asking("/")
			c.Address = "127.0.0.1:91{{.Slot}}{{.WorkerID}}"
			if q := p.question(rec, c); q.Address != strings.ReplaceAll("127.0.0.1:91SS", "S", string(rune('0'+ref.Slot))) {
				t.Errorf("slot %d is asked at %s", ref.Slot, q.Address)
			}
			c.Address = "127.0.0.1:{{.Port.other}}"
			q := p.question(rec, c)
			if err := q.Once(context.Background(), q.world); err == nil || !strings.Contains(err.Error(), "other") { // of the bubble
				t.Errorf("an address of nothing: %v", err)
			}
		}
		synctest.Wait()
	})
}
