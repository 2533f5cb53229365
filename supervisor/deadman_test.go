package supervisor

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/deadman"
	"github.com/broodctl/brood/worker"
)

// pidsOf are those of the workers that live.
func pidsOf(w *world) []int {
	var all []int
	for _, p := range w.living() {
		all = append(all, p.pid)
	}
	slices.Sort(all)
	return all
}

// checkKnows makes sure that the deadman at hand watches the workers that live, and nobody else.
func checkKnows(t *testing.T, w *world, nth int) *fakeDeadman {
	t.Helper()
	d, n := w.lastDeadman()
	if got, want := d.knows(), pidsOf(w); n != nth || !slices.Equal(got, want) {
		t.Errorf("deadman %d watches %v, want %v by number %d", n, got, want, nth)
	}
	return d
}

// The deadman knows who uses claims, before it runs, and until when; it ends with the supervisor.
func TestDeadmanIsTold(t *testing.T) {
	w := &world{guarded: true}
	shared(t, w, false, func(s *stage, way *fleetWay) {
		d := checkKnows(t, w, 1)
		session := way.engine.Session()
		at := d.deadline(session.ID)
		if left := session.Deadline - at; left <= 0 || left > guardTime {
			t.Errorf("it kills %v before the deadline", left)
		}
		if cmd := d.process().cmd; !cmd.Session || cmd.Orphans != worker.OrphanKeep || cmd.Group != nil || cmd.Argv[0] != "brood: deadman of web" {
			t.Errorf("its command is %+v", cmd)
		}
		for _, p := range w.living() {
			if own := p.cmd.Deadman; own == nil || own.Sessions[0] != int64(session.ID) || own.Until < at-guardTime || own.Socket <= 0 {
				t.Errorf("worker %d has %+v", p.pid, own)
			}
		}
		s.after(time.Minute)
		if later := d.deadline(session.ID); later < at+50*time.Second {
			t.Errorf("the deadline was put off by %v in a minute", later-at)
		}
		w.living()[0].end(worker.Exit{Code: 1})
		s.after(10 * time.Second)
		checkKnows(t, w, 1)
		if v := s.sup.Snapshot().Pools[0].Claims.NoDeadman; v != "" {
			t.Errorf("the status says: no deadman: %s", v)
		}
		s.signals <- syscall.SIGTERM
		s.after(time.Minute)
	})
	if d, _ := w.lastDeadman(); !d.closed || d.dismissed || len(d.knows()) > 0 {
		t.Errorf("at the end: closed %v, dismissed %v, watched %v", d.closed, d.dismissed, d.knows())
	}
}

// Workers that serve on without their ids are not killed.
func TestDeadmanSparesWhoKeepsItsID(t *testing.T) {
	w := &world{guarded: true}
	shared(t, w, true, func(*stage, *fleetWay) {
		if d, _ := w.lastDeadman(); len(d.knows()) > 0 || w.living()[0].cmd.Deadman != nil {
			t.Errorf("it watches %v", d.knows())
		}
	})
}

// A deadman that dies, or does not listen, is replaced: at once, or at the next renewal if that came too soon. The next one knows everybody.
func TestDeadmanIsReplaced(t *testing.T) {
	w := &world{guarded: true}
	shared(t, w, false, func(s *stage, way *fleetWay) {
		s.after(time.Minute)
		d, _ := w.lastDeadman()
		d.process().end(worker.Exit{Code: worker.CodeUnknown, Signal: syscall.SIGKILL})
		s.after(time.Millisecond)
		d = checkKnows(t, w, 2)
		if d.deadline(way.engine.Session().ID) == 0 {
			t.Error("it knows no deadline")
		}
		d.process().end(worker.Exit{Code: 2})
		s.after(time.Millisecond)
		if _, n := w.lastDeadman(); n != 2 {
			t.Error("it is replaced at once again and again")
		}
		s.after(5 * time.Second)
		d = checkKnows(t, w, 3)
		d.mu.Lock()
		d.deaf = syscall.EAGAIN
		d.mu.Unlock()
		s.after(time.Minute)
		checkKnows(t, w, 4)
		if n := len(s.logged("deadman died: another one takes its place")); n != 3 {
			t.Errorf("said %d times that it died", n)
		}
	})
}

// Where there can be none it is said, once and all the time, and workers serve; one that comes later knows them.
func TestNoDeadman(t *testing.T) {
	w := &world{guarded: true, noGuard: errors.New("no pidfds")}
	shared(t, w, false, func(s *stage, _ *fleetWay) {
		s.after(time.Minute)
		if n := len(s.logged("there is no deadman: workers would outlive their claims if this process were stopped")); n != 1 {
			t.Errorf("said %d times that there is none", n)
		}
		if v := s.sup.Snapshot().Pools[0].Claims.NoDeadman; v != "no pidfds" {
			t.Errorf("the status says %q", v)
		}
		w.mu.Lock()
		w.noGuard = nil
		w.mu.Unlock()
		s.after(10 * time.Second)
		checkKnows(t, w, 1)
		if v := s.sup.Snapshot().Pools[0].Claims.NoDeadman; v != "" {
			t.Errorf("the status says %q", v)
		}
	})
}

// A supervisor that stood still finds its workers dead: they have not failed, and their claims are not used again.
func TestStandstill(t *testing.T) {
	w := &world{guarded: true}
	shared(t, w, false, func(s *stage, way *fleetWay) {
		first := w.living()
		d, _ := w.lastDeadman()
		still := make(chan struct{})
		s.sup.mail.post(answered{reply: replyFunc(func(Verdict) { <-still })}) // the loop does not come to anything
		s.sup.looking++
		way.client.Cut()
		way.toDeadline(s)
		for _, p := range first {
			p.end(worker.Exit{Code: worker.CodeUnknown, Signal: syscall.SIGKILL})
		}
		d.said(deadman.Message{Kind: deadman.Killed, PID: 2})
		s.after(time.Minute)
		close(still)
		s.after(time.Minute)
		if n := len(w.living()); n > 0 {
			t.Errorf("%d workers were started with claims that are over", n)
		}
		way.client.Join()
		s.after(time.Minute)
		checkKnows(t, w, 1)
		if now := pidsOf(w); len(now) != 2 {
			t.Errorf("workers %v: %s", now, s.summary())
		}
		for _, death := range s.logged("worker died") {
			if death["cause"] != string(CauseStopped) && death["cause"] != string(CauseKilledLate) {
				t.Errorf("a death: %v", death)
			}
		}
		if n := len(s.logged("the deadman has killed workers before their claims ended: this process did not come to it")); n != 1 {
			t.Errorf("said %d times what the deadman did", n)
		}
	})
}

// The deadman goes on while programs change. One that speaks in another way is needed until there is another.
func TestDeadmanOutlivesPrograms(t *testing.T) {
	for _, other := range []bool{false, true} {
		t.Run(fmt.Sprint(other), func(t *testing.T) {
			w := &world{guarded: true}
			shared(t, w, false, func(s *stage, way *fleetWay) {
				before := checkKnows(t, w, 1)
				s.sup.cfg.World.Upgrader.(*fakeUpgrader).change = func(h *Handed, cfg *Config) {
					if other {
						h.Deadman.Version++
					}
					if err := way.handOn(cfg); err != nil {
						t.Error(err)
					}
				}
				upgrade := s.ask(Request{Verb: Upgrade})
				s.after(10 * time.Second)
				if v := upgrade.answer(); v.Err != nil {
					t.Fatal(v.Err)
				}
				if !other {
					checkKnows(t, w, 1)
				} else if checkKnows(t, w, 2); !before.dismissed {
					t.Error("the one before is not dismissed")
				}
				w.living()[0].end(worker.Exit{Code: 1})
				s.after(10 * time.Second)
				d, _ := w.lastDeadman()
				if got := d.knows(); !slices.Equal(got, pidsOf(w)) {
					t.Errorf("after a restart it watches %v, want %v", got, pidsOf(w))
				}
				d.process().end(worker.Exit{Code: 2})
				s.after(10 * time.Second)
				if _, n := w.lastDeadman(); n < 2 {
					t.Error("nobody has heard of its death")
				}
			})
		})
	}
}
