//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/broodctl/brood/internal/logs"
	"github.com/broodctl/brood/internal/webui"
	"github.com/broodctl/brood/supervisor"
	"github.com/broodctl/brood/supervisor/events"
)

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// The page of supervisors that no real one becomes so easily.
func TestDashboardPage(t *testing.T) {
	b := startBrowser(t)
	for name, test := range map[string]func(*testing.T, *browser){
		"hostile names": hostileNames, "thousand": thousand, "narrow": narrow, "keyboard": keyboardOnly, "other origins": otherOrigins,
		"without tokens": withoutTokens, "contrast": contrast, "notices": noticesStay, "token while it looks": tokenWhileItLooks, "background": background, "another token": anotherToken,
	} {
		t.Run(name, func(t *testing.T) { test(t, b) })
	}
}

// Whatever comes from a worker or from the configuration is shown as text.
func hostileNames(t *testing.T, b *browser) {
	pool := crowd(hostile, 2)
	pool.State, pool.Ready = supervisor.StateDegraded, 1
	pool.Unmet, pool.WaitsFor = []string{hostile}, []string{hostile}
	pool.Deaths = map[supervisor.Cause]int{supervisor.Cause(hostile): 1}
	pool.Rollout = &supervisor.RolloutView{Generation: 2, State: "failed", Reason: hostile}
	pool.Listeners[0].Name, pool.Listeners[0].Address, pool.Listeners[0].Mode = hostile, hostile, hostile
	for i := range pool.Workers {
		w := &pool.Workers[i]
		w.State, w.Ready, w.Health, w.Status, w.LastExit, w.Side = hostile, false, hostile, hostile, hostile, hostile
	}
	s, at := play(t, pool)
	s.lines = []logs.Line{{Time: time.Now(), Pool: hostile, Text: "\x1b[31m" + hostile + "\x07\u202e", Stream: hostile}}
	s.becomes(func(snap *supervisor.Snapshot) {
		snap.Name, snap.Version, snap.State = hostile, hostile, hostile
		snap.Config.Reload = &supervisor.ReloadView{State: "failed", Error: hostile}
	}, events.Event{
		Kind: events.Death, Pool: hostile, Slot: new(0), Cause: hostile, Exit: hostile, Detail: hostile, Next: hostile, Lines: []string{hostile},
	}, events.Event{Kind: events.Rollout, Pool: hostile, State: "rolling", Reason: hostile},
		events.Event{Kind: events.Kind(hostile), Pool: hostile, State: hostile})

	p := b.open(t, at, 1280, 900)
	p.await("the pool", "document.querySelector('.pool h2')?.textContent === "+quote(hostile))
	p.await("the events", "document.querySelectorAll('.events li').length >= 2")
	p.click(`.room[data-slot="0"]`)
	p.click("[data-verb=unlock]")
	p.await("the question for the token", "document.querySelector('#secret') === document.activeElement")
	p.press(writeToken, kb.Enter)
	p.await("the line of the log", "document.querySelector('.log')?.textContent.includes('\u2407\ufffd')")
	if text := eval[string](p, "document.querySelector('.log').textContent"); !strings.Contains(text, hostile) || strings.Contains(text, "[31m") {
		t.Errorf("the log shows %q", text)
	}
	p.press(kb.Escape)
	p.await("the end of the drawer", "!document.querySelector('dialog')")
	s.feed.Add(events.Event{Kind: events.Death, Pool: hostile, Slot: new(1), Cause: "died", Lines: []string{hostile + " at last"}})
	p.await("the last words, now that there is a token", "[...document.querySelectorAll('.events details pre')].some((e) => e.textContent.includes('at last'))")
	p.click("[data-verb=stop]")
	p.await("the question", "document.querySelector('dialog')?.innerText.includes('onerror')")
	if n := eval[int](p, "document.querySelectorAll('main img, main script, aside img, aside script, dialog img, dialog script, #notices img').length"); n > 0 {
		t.Errorf("%d elements were made of texts", n)
	}
	if eval[bool](p, "window.pwned !== undefined") {
		t.Error("a text was run")
	}
}

// A thousand workers of which some change: only these are touched, and it takes less than a frame or two.
func thousand(t *testing.T, b *browser) {
	s, at := play(t, crowd("web", 1000))
	p := b.open(t, at, 1280, 900)
	p.await("all workers", ready(1000))
	p.do(`window.touched = new Set(); new MutationObserver((list) => {
		for (const m of list) touched.add((m.target.closest ?? m.target.parentElement.closest).call(m.target.closest ? m.target : m.target.parentElement, '.room')?.dataset.slot);
	}).observe(document.querySelector('.rooms'), {subtree: true, childList: true, attributes: true, characterData: true})`)
	var took []float64
	for round := range 10 {
		var news []events.Event
		state := []string{"draining", "ready"}[round%2]
		s.becomes(func(snap *supervisor.Snapshot) {
			pools := slices.Clone(snap.Pools)
			pools[0].Workers = slices.Clone(pools[0].Workers)
			for slot := 500; slot < 510; slot++ {
				pools[0].Workers[slot].State, pools[0].Workers[slot].Ready = state, state == "ready"
				news = append(news, moves("web", slot, state))
			}
			snap.Pools = pools
		})
		for _, e := range news {
			s.feed.Add(e)
		}
		p.await(state, fmt.Sprintf(`document.querySelectorAll('.room[data-state=%s]').length === %d`, state, map[string]int{"draining": 10, "ready": 1000}[state]))
		took = append(took, eval[float64](p, "performance.getEntriesByName('brood-update').at(-1).duration"))
	}
	slices.Sort(took)
	t.Logf("an update of 10 of 1000 workers takes %.1f ms in the middle of ten, at most %.1f ms", took[5], took[9])
	if took[5] > 100 {
		t.Errorf("updates take %v ms", took)
	}
	if n := eval[int](p, "[...touched].filter((slot) => slot !== undefined).length"); n != 10 {
		t.Errorf("%d rooms were touched, want 10", n)
	}
}

// Nothing is wider than a small telephone.
func narrow(t *testing.T, b *browser) {
	pool := crowd("web", 4)
	pool.Workers[1].State, pool.Workers[1].Ready, pool.Workers[1].Health = "unready", false, strings.Repeat("a-word-without-an-end-", 30)
	pool.Rollout = &supervisor.RolloutView{Generation: 2, State: "rolling"}
	pool.Workers = append(pool.Workers, supervisor.WorkerView{Slot: 1, PID: 99, State: "starting", Generation: 2, Side: "b", Started: time.Now()})
	many := crowd("many", 300)
	many.Listeners[0].Address = "unix:/run/" + strings.Repeat("a-long-name", 9)
	s, at := play(t, pool, many)
	s.lines = []logs.Line{{Time: time.Now(), Pool: "web", Slot: 1, Text: strings.Repeat("x", 2000), Stream: "stderr"}}
	s.feed.Add(events.Event{Kind: events.Death, Pool: "web", Slot: new(1), Cause: "died", Exit: strings.Repeat("y", 300)})
	p := b.open(t, at, 360, 780)
	p.await("all workers", "document.querySelectorAll('.room').length === 304")
	p.fits("the page")
	p.enter(writeToken)
	p.entered()
	p.click(slotOf("web", 1))
	p.await("the log", "document.querySelector('.log')?.textContent.includes('xxx')")
	p.fits("a slot")
	p.press(kb.Escape)
	p.click("[data-pool=many] [data-verb=stop]")
	p.await("the question", "document.querySelector('dialog')")
	p.fits("a question")
}

// Everything can be done with keys alone, and the focus stays where somebody left it.
func keyboardOnly(t *testing.T, b *browser) {
	s, at := play(t, crowd("web", 6))
	p := b.open(t, at, 1280, 900)
	p.await("all workers", ready(6))
	has := func(selector string) string { return "document.activeElement?.matches(" + quote(selector) + ")" }
	until := func(what, selector string) {
		t.Helper()
		for range 40 {
			if eval[bool](p, has(selector)+" === true") {
				return
			}
			p.press(kb.Tab)
		}
		t.Fatalf("the tab key does not lead to %s", what)
	}
	p.press(kb.Tab)
	p.await("the link to the pools is first", has(".skip"))
	if ring := eval[string](p, "getComputedStyle(document.activeElement).outlineStyle"); ring == "none" {
		t.Error("the focus is not to be seen")
	}
	until("the slots", slotOf("web", 0))
	p.press(kb.ArrowRight, kb.ArrowRight)
	p.await("slot 2 has the focus", has(slotOf("web", 2)))
	p.press(kb.End)
	p.await("the last one has the focus", has(slotOf("web", 5)))
	p.press(kb.ArrowLeft)
	s.becomes(func(snap *supervisor.Snapshot) {
		snap.Pools = []supervisor.PoolView{crowd("web", 7)}
	}, moves("web", 6, "ready"))
	p.await("another worker came", ready(7))
	p.await("the focus is kept", has(slotOf("web", 4)))
	p.press(kb.Enter)
	p.await("the slot is open", "document.querySelector('dialog h2')?.textContent === 'web, slot 4'")
	p.press(kb.Escape)
	p.await("the focus is back", "!document.querySelector('dialog') && "+has(slotOf("web", 4)))

	p.do("document.activeElement.blur()")
	until("roll", "[data-pool=web] [data-verb=roll]")
	p.press(kb.Enter)
	p.await("the question for the token", has("#secret"))
	p.press(writeToken, kb.Enter)
	p.await("the question", "document.querySelector('dialog h2')?.textContent === 'Roll pool web?'")
	until("the answer", "dialog [type=submit]")
	p.press(kb.Enter)
	p.await("the verdict", "document.querySelector('.operations [data-state=done]')")
	p.await("the focus is back", has("[data-pool=web] [data-verb=roll]"))
	if asked := s.requests(); len(asked) != 1 || asked[0].Verb != supervisor.Roll || asked[0].Pool != "web" || asked[0].From == "" {
		t.Errorf("asked for %+v", asked)
	}
	if nameless := eval[int](p, `[...document.querySelectorAll('button, select, input')].filter((e) => !(e.innerText || e.ariaLabel || e.labels?.length)).length`); nameless > 0 {
		t.Errorf("%d controls have no name", nameless)
	}
}

// Without a token_file the page says so, and how that is changed.
func withoutTokens(t *testing.T, b *browser) {
	_, at := playWith(t, func(o *webui.Options) { o.Rights, o.Off = nil, "No token_file is configured." }, crowd("web", 2))
	p := b.open(t, at, 1280, 900)
	p.await("it is said", "document.querySelector('#notices').innerText.includes('Logs and actions are off. No token_file is configured.')")
	p.click("#notices button")
	p.await("how to switch them on", "document.querySelector('dialog pre')?.textContent.includes('token_file =')")
	p.press(kb.Escape)
	p.click("[data-pool=web] [data-verb=scale]")
	p.await("the same in place of an action", "document.querySelector('dialog pre')")
}

// Every text can be read in both schemes: a contrast of 4.5 at least, as WCAG 2.2 (1.4.3) wants it.
func contrast(t *testing.T, b *browser) {
	pool := crowd("web", 14)
	for i, state := range []string{
		"waiting", "starting", "proving", "ready", "unready", "failing", "settling", "retiring", "draining", "tracing", "reaping", "killed", "finished", "free",
	} {
		pool.Workers[i].State, pool.Workers[i].Health, pool.Workers[i].Ready = state, "says why", state == "ready"
	}
	pool.State, pool.Ready, pool.Rollout = supervisor.StateDegraded, 1, &supervisor.RolloutView{Generation: 2, State: "rolling"}
	s, at := playWith(t, func(o *webui.Options) { o.Off = "For a reason." }, pool)
	for _, state := range []string{"rolling", "reverting", "done", "failed"} {
		s.feed.Add(events.Event{Kind: events.Rollout, Pool: "web", Generation: 2, State: state})
	}
	s.feed.Add(events.Event{Kind: events.Death, Pool: "web", Slot: new(1), Cause: "died", Exit: "exit 1"})
	p := b.open(t, at, 1280, 900)
	for _, scheme := range []string{"light", "dark"} {
		p.prefers("prefers-color-scheme", scheme)
		p.await("all is there", "document.querySelectorAll('.room').length === 14 && document.querySelectorAll('.events li').length === 5")
		weak := eval[[]string](p, `(() => {
			const rgb = (text) => text.match(/[\d.]+/g).map(Number);
			const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
				.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
			const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if ((c[3] ?? 1) === 1) return c; } return [255, 255, 255]; };
			return [...document.querySelectorAll('body *')].filter((e) => e.getClientRects().length && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
				.map((e) => {
					const [a, b] = [light(rgb(getComputedStyle(e)[e instanceof SVGElement ? 'fill' : 'color'])), light(behind(e))].sort((x, y) => y - x);
					return [(a + 0.05) / (b + 0.05), e.tagName + '.' + (e.getAttribute('class') ?? '') + ' ' + e.textContent.slice(0, 20)];
				}).filter(([ratio]) => ratio < 4.5).map(([ratio, what]) => ratio.toFixed(2) + ' ' + what);
		})()`)
		for _, what := range weak {
			t.Errorf("%s: a contrast of %s", scheme, what)
		}
	}
}

// A page of another origin can ask for nothing, not even with the token, and neither can one whose name leads here.
func otherOrigins(t *testing.T, b *browser) {
	s, at := play(t, crowd("web", 2))
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/html") }))
	t.Cleanup(other.Close)
	p := b.open(t, other.URL, 800, 600)
	said := eval[string](p, fmt.Sprintf(`(async () => {
		const said = [];
		for (const init of [{mode: 'no-cors'}, {headers: {Authorization: 'Bearer %s'}}, {mode: 'no-cors', headers: {'Content-Type': 'text/plain'}}]) {
			await fetch('%s/v1/roll', {method: 'POST', body: '{"pool": "web"}', ...init}).then((r) => said.push(r.type), () => said.push('refused'));
		}
		await fetch('%s/v1/status').then((r) => r.text()).then((text) => said.push(text), () => said.push('refused'));
		return said.join(' ');
	})()`, writeToken, at, at))
	if said != "refused refused refused refused" {
		t.Errorf("another origin hears %s", said)
	}
	where, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	rebound := b.open(t, "http://evil.test:"+where.Port()+"/", 800, 600)
	if text := eval[string](rebound, "document.body.innerText"); !strings.Contains(text, "wrong_host") {
		t.Errorf("a name that leads here shows %s", text)
	}
	if asked := s.requests(); len(asked) > 0 {
		t.Errorf("another origin asked for %+v", asked)
	}
}
