package supervisor

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/supervisor/machine"
	"github.com/broodctl/brood/supervisor/plan"
	"github.com/broodctl/brood/worker"
	"github.com/broodctl/brood/worker/handshake"
)

func TestReloadsAreCounted(t *testing.T) {
	reloading, ready := handshake.Message{Reloading: true}, handshake.Message{Ready: true}
	reload := func(s *stage) {
		_ = s.sup.Do(context.Background(), Request{Verb: Reload})
		synctest.Wait()
	}
	for name, tc := range map[string]struct {
		handling worker.Handling
		policy   machine.ReloadPolicy
		happens  func(s *stage, first, second *fakeProcess)
		want     ReloadsView
	}{
		"nobody says anything": {worker.Catches, machine.ReloadSignal, func(s *stage, _, _ *fakeProcess) {
			s.after(afterReload)
		}, ReloadsView{Done: 1}},
		"one is not known yet": {worker.Catches, machine.ReloadSignal, func(s *stage, first, _ *fakeProcess) {
			first.say(reloading)
			s.after(time.Minute)
		}, ReloadsView{}},
		"one says when": {worker.Catches, machine.ReloadSignal, func(s *stage, first, _ *fakeProcess) {
			first.say(reloading)
			s.after(3 * time.Second)
			first.say(ready)
			synctest.Wait()
		}, ReloadsView{Done: 1, Last: 3}},
		"both do": {worker.Catches, machine.ReloadSignal, func(s *stage, first, second *fakeProcess) {
			first.say(reloading)
			second.say(reloading)
			s.after(3 * time.Second)
			second.say(ready)
			s.after(2 * time.Second)
			first.say(ready)
			synctest.Wait()
		}, ReloadsView{Done: 1, Last: 5}},
		"one dies of it": {worker.Catches, machine.ReloadSignal, func(s *stage, first, _ *fakeProcess) {
			first.end(worker.Exit{Code: worker.CodeUnknown, Signal: 1})
			s.after(afterReload)
		}, ReloadsView{Failed: 1}},
		"one cannot go on": {worker.Catches, machine.ReloadSignal, func(s *stage, first, _ *fakeProcess) {
			first.say(reloading)
			s.after(3 * time.Second)
			first.end(worker.Exit{Code: 1})
			synctest.Wait()
		}, ReloadsView{Failed: 1}},
		"another one comes": {worker.Catches, machine.ReloadSignal, func(s *stage, first, _ *fakeProcess) {
			first.say(reloading)
			s.after(3 * time.Second)
			reload(s)
			s.after(afterReload)
		}, ReloadsView{Done: 1, Failed: 1}},
		"nobody would survive it": {worker.Dies, machine.ReloadSignal, func(*stage, *fakeProcess, *fakeProcess) {}, ReloadsView{Failed: 1}},
		"they are replaced":       {worker.Dies, machine.ReloadAuto, func(*stage, *fakeProcess, *fakeProcess) {}, ReloadsView{Done: 1, Last: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{handling: tc.handling}
			perform(t, w, watched(2, func(p *plan.Pool) { p.Spec.Reload = tc.policy }), func(s *stage) {
				reload(s)
				tc.happens(s, w.process(0), w.process(1))
				if got := s.sup.Snapshot().Pools[0].Reloads; got.Done != tc.want.Done || got.Failed != tc.want.Failed || got.Last < tc.want.Last || got.Last > tc.want.Last+0.1 {
					t.Errorf("%+v, want %+v", got, tc.want)
				}
			})
		})
	}
}

// A pool whose reload would be a rollout is left alone when only others have changed: that is no reload.
func TestReloadOfTheFileCountsThoseWhoAreTold(t *testing.T) {
	for handling, want := range map[worker.Handling]int{worker.Catches: 1, worker.Dies: 0} {
		w := &world{handling: handling}
		perform(t, w, func(c *Config) {
			w.file = c.Desired
			w.file.Pools = append(slices.Clone(c.Desired.Pools), poolNamed("new"))
			c.World.Load = w.load
		}, func(s *stage) {
			_ = s.sup.Do(context.Background(), Request{Verb: Reload})
			s.after(2 * afterReload)
			if got := s.sup.Snapshot().Pools[0].Reloads; got.Done != want || got.Failed != 0 {
				t.Errorf("%+v, want %d", got, want)
			}
		})
	}
}
