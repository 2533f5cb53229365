//go:build e2e

package e2e

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/broodctl/brood/internal/logs"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/events"
)

// fits fails if something is wider than the window, if words are cut, or if buttons lie upon each other.
func (p *tab) fits(what string) {
	p.t.Helper()
	for _, fault := range eval[[]string](p, `(() => {
		const name = (e) => e.tagName.toLowerCase() + '.' + (e.getAttribute('class') ?? '') + ' ' + e.textContent.slice(0, 30);
		const all = [...document.querySelectorAll('body *')].filter((e) => e.getClientRects().length && !e.closest('.unseen, .skip'));
		const faults = all.filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5).map((e) => 'wider than the window: ' + name(e));
		for (const e of [document.documentElement, ...document.querySelectorAll('dialog')]) {
			if (e.scrollWidth > innerWidth) faults.push(e.scrollWidth + ' pixels wide: ' + e.tagName);
		}
		faults.push(...all.filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === 'hidden' && e.textContent.trim()
			&& !e.matches('.trouble, .queue')).map((e) => 'cut: ' + name(e)));
		const box = (e) => [e, e.getBoundingClientRect()];
		const controls = all.filter((e) => e.matches('button, select, input') && !e.closest('dialog') === !document.querySelector('dialog')).map(box);
		controls.forEach(([a, r], i) => controls.slice(i + 1).forEach(([b, s]) => {
			if (r.left < s.right - 1 && s.left < r.right - 1 && r.top < s.bottom - 1 && s.top < r.bottom - 1) faults.push(name(a) + ' lies upon ' + name(b));
		}));
		return faults.slice(0, 5);
	})()`) {
		p.t.Errorf("%s: %s", what, fault)
	}
}

// store is a supervisor as there are many: three pools, a little load, nothing wrong.
func store() []supervisor.PoolView {
	web, api, mailer := crowd("web", 8), crowd("api", 4), crowd("mailer", 2)
	web.Generation, web.Restarts, web.Deaths = 3, 1, map[supervisor.Cause]int{supervisor.CauseDied: 1, supervisor.CauseStopped: 16}
	api.Listeners[0].Name, api.Listeners[0].Address = "api", "127.0.0.1:8081"
	mailer.Listeners = nil
	for i := range mailer.Workers {
		mailer.Workers[i].Queue, mailer.Workers[i].Connections = nil, nil
	}
	for i := range web.Workers {
		web.Workers[i].Requests = new(uint64(1e6))
	}
	return []supervisor.PoolView{web, api, mailer}
}

// busy makes the figures of a pool go up and down, as with clients.
func busy(p *supervisor.PoolView, age time.Duration) {
	wave := func(slot int, period float64) float64 { return 1 + math.Sin(age.Seconds()/period+float64(slot)*1.7) }
	waiting := uint64(0)
	for i := range p.Workers {
		w := &p.Workers[i]
		if w.Usage == nil {
			continue
		}
		usage := *w.Usage
		usage.Memory += uint64(wave(w.Slot, 31) * 9e6)
		usage.CPU += 0.2*age.Seconds() + 0.6*wave(w.Slot, 9)
		w.Usage = &usage
		if w.Requests != nil {
			w.Requests = new(*w.Requests + uint64(300*age.Seconds()+900*wave(w.Slot, 9)))
		}
		if w.Connections != nil {
			w.Connections = new(uint64(20 * wave(w.Slot, 5)))
		}
		if w.Queue != nil {
			w.Queue = &supervisor.QueueView{Depth: uint64(1.4 * wave(w.Slot, 2)), Capacity: w.Queue.Capacity}
			waiting += w.Queue.Depth
		}
	}
	for i := range p.Listeners {
		p.Listeners[i].Queue = &supervisor.QueueView{Depth: waiting, Capacity: 4096 * uint64(p.Desired)}
	}
}

// sick takes a worker away from the last pool: it does not come up again.
func sick(pools []supervisor.PoolView) {
	p := &pools[len(pools)-1]
	p.State, p.Ready, p.Restarts, p.Deaths = supervisor.StateDegraded, 1, 7, map[supervisor.Cause]int{supervisor.CauseDiedYoung: 7}
	p.Workers[1] = supervisor.WorkerView{
		Slot: 1, State: "waiting", Generation: 1, Side: "a", Restarts: 7, LastExit: "died_young: exit 3",
	}
	web := &pools[0].Workers[5]
	pools[0].State, pools[0].Ready = supervisor.StateDegraded, 7
	web.State, web.Ready, web.Health = "unready", false, "readiness probe: GET /readyz: 503 Service Unavailable: the database does not answer"
}

// rolled is a pool in the middle of a rollout.
func rolled(pools []supervisor.PoolView) {
	p := &pools[0]
	p.Rollout = &supervisor.RolloutView{Generation: 4, State: "rolling"}
	var all []supervisor.WorkerView
	for i := range p.Workers {
		w := p.Workers[i]
		switch {
		case w.Slot < 3:
			w.Generation, w.Side, w.Started = 4, "b", time.Now().Add(time.Duration(w.Slot-20)*time.Second)
		case w.Slot == 3:
			w.State = "settling"
			next := w
			next.State, next.Generation, next.Side, next.PID, next.Started = "ready", 4, "b", 10_108, time.Now().Add(-2*time.Second)
			all = append(all, w)
			w = next
		case w.Slot == 4:
			next := w
			next.State, next.Ready, next.Generation, next.Side, next.PID, next.Started = "starting", false, 4, "b", 10_109, time.Now()
			next.Queue, next.Connections, next.Usage = nil, nil, nil
			all = append(all, w)
			w = next
		}
		all = append(all, w)
	}
	p.Workers = all
}

// happened is what there is to tell of the last minutes of some pools.
func happened(s *stage, pools []supervisor.PoolView) {
	tell := func(ago time.Duration, e events.Event) {
		e.Time = time.Now().Add(-ago)
		s.feed.Add(e)
	}
	tell(14*time.Minute, events.Event{Kind: events.Pool, Pool: "web", State: "ready", From: "starting"})
	tell(12*time.Minute, events.Event{Kind: events.Death, Pool: "web", Slot: new(5), Cause: "died", Exit: "SIGKILL", Next: "restarted at once"})
	tell(9*time.Minute, events.Event{Kind: events.Request, Pool: "web", Verb: "roll"})
	tell(9*time.Minute, events.Event{Kind: events.Rollout, Pool: "web", Generation: 3, State: "rolling"})
	tell(8*time.Minute, events.Event{Kind: events.Rollout, Pool: "web", Generation: 3, State: "done"})
	tell(5*time.Minute, events.Event{Kind: events.Scale, Pool: "api", Workers: 4, Before: 3, Reason: "queue"})
	tell(5*time.Minute, events.Event{Kind: events.Repair, Pool: "api", Slot: new(3), Listener: "api", Detail: "backlog"})
	tell(5*time.Minute, events.Event{Kind: events.Repair, Pool: "api", Slot: new(3), Listener: "api", Detail: "revived"})
	if pools[0].Rollout != nil {
		tell(20*time.Second, events.Event{Kind: events.Request, Pool: "web", Verb: "roll"})
		tell(20*time.Second, events.Event{Kind: events.Rollout, Pool: "web", Generation: 4, State: "rolling"})
	}
	if last := pools[len(pools)-1]; last.State == supervisor.StateDegraded {
		tell(2*time.Minute, events.Event{Kind: events.Pool, Pool: "mailer", State: "degraded", From: "ready"})
		for i := range last.Restarts {
			tell(time.Duration(last.Restarts-i)*15*time.Second, events.Event{
				Kind: events.Death, Pool: "mailer", Slot: new(1), Cause: "died_young", Exit: "exit 3", Next: "restarted after a backoff",
			})
		}
		tell(9*time.Second, events.Event{Kind: events.Pool, Pool: "web", State: "degraded", From: "ready"})
	}
	for i := range 12 {
		s.lines = append(s.lines, logs.Line{
			Time: time.Now().Add(time.Duration(i-12) * 9 * time.Second), Pool: "mailer", Slot: 1, Stream: "stderr",
			Text: fmt.Sprintf("cannot connect to smtp.internal:25: refused (%d)", i+1),
		})
	}
}

// TestScreens looks at the page in the ways in which people see it. With E2E_SCREENS it makes the pictures of the
// documentation, for which the lines need a while to be drawn: one scene at a time then.
func TestScreens(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	looks := 1
	if os.Getenv("E2E_SCREENS") != "" {
		looks = 25
	}
	for name, scene := range map[string]struct {
		width, height int64
		dark          bool
		pools         func([]supervisor.PoolView)
		many          int
		then          func(p *tab)
	}{
		"well":     {width: 1280, height: 860},
		"dark":     {width: 1280, height: 860, dark: true, pools: rolled},
		"rollout":  {width: 1280, height: 860, pools: rolled},
		"degraded": {width: 1280, height: 860, pools: sick},
		"narrow":   {width: 360, height: 740, pools: sick},
		"small":    {width: 360, height: 740, pools: rolled, dark: true},
		"large":    {width: 3840, height: 2160, pools: sick},
		"many":     {width: 1280, height: 860, many: 200},
		"some":     {width: 1280, height: 860, many: 60},
		"slot": {width: 1280, height: 860, pools: sick, then: func(p *tab) {
			p.enter(writeToken)
			p.entered()
			p.click(slotOf("mailer", 1))
			p.await("its log", "document.querySelector('.log')?.textContent.includes('refused (12)')")
		}},
		"pair": {width: 1280, height: 860, pools: rolled, dark: true, then: func(p *tab) { p.click(slotOf("web", 3)) }},
		"question": {width: 1280, height: 860, then: func(p *tab) {
			p.enter(writeToken)
			p.entered()
			p.click("[data-pool=web] [data-verb=scale]")
			p.await("the question", "document.querySelector('#number') === document.activeElement")
			p.press("6")
			p.await("what it means", "document.querySelector('dialog').innerText.includes('2 workers will be told to leave')")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			pools := store()
			if scene.many > 0 {
				pools[0] = crowd("web", scene.many)
				pools[0].Workers[17].State, pools[0].Workers[17].Ready, pools[0].Workers[17].Health = "unready", false, "readiness probe: 503"
				pools[0].State, pools[0].Ready = supervisor.StateDegraded, scene.many-1
			}
			if scene.pools != nil {
				scene.pools(pools)
			}
			s, at := play(t, pools...)
			s.drift = busy
			happened(s, pools)
			s.becomes(func(snap *supervisor.Snapshot) {
				for _, p := range pools {
					if p.State == supervisor.StateDegraded {
						snap.State = supervisor.StateDegraded
					}
				}
			})
			p := b.open(t, at, scene.width, scene.height)
			scheme := "light"
			if scene.dark {
				scheme = "dark"
			}
			p.prefers("prefers-color-scheme", scheme)
			p.await("the lines", fmt.Sprintf("[...document.querySelectorAll('.spark-line')].some((line) => (line.getAttribute('d') ?? '').split('L').length >= %d)", looks))
			p.await("the events", "document.querySelectorAll('.events li').length > 4")
			if said := eval[string](p, "document.querySelector('.events').innerText"); strings.Contains(said, "backlog") || !strings.Contains(said, "revived") {
				t.Errorf("what matters is not %s", said)
			}
			p.fits("the page")
			if scene.then != nil {
				scene.then(p)
				p.fits("what is open")
			}
		})
	}
}
