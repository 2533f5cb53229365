//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/broodctl/brood/supervisor"
)

// Who is in a notice with the focus stays there while its words change, and is led to the slot that is not well.
func noticesStay(t *testing.T, b *browser) {
	pools := store()
	sick(pools)
	s, at := play(t, pools...)
	p := b.open(t, at, 1280, 900)
	p.await("the notices", "document.querySelectorAll('#notices button').length === 2")
	p.do("document.querySelectorAll('#notices button')[1].focus()")
	s.becomes(func(snap *supervisor.Snapshot) {
		snap.Pools[1].State, snap.Pools[1].Ready = supervisor.StateDegraded, 3
		snap.Pools[2].Ready = 0
	}, moves("mailer", 0, "unready"))
	p.await("more notices", "document.querySelectorAll('#notices button').length === 3 && document.querySelector('#notices').innerText.includes('mailer: 0/2 ready')")
	p.await("the focus is kept", "document.activeElement.textContent === 'Show mailer'")
	p.press(kb.Enter)
	p.await("the slot that is not well has the focus", "document.activeElement.matches("+quote(slotOf("mailer", 1))+")")
}

// A token that is entered while the page looks does not look like a lost connection.
func tokenWhileItLooks(t *testing.T, b *browser) {
	_, at := play(t, crowd("web", 2))
	p := b.open(t, at, 1280, 900)
	p.await("all workers", ready(2))
	p.do(`window.links = new Set();
		new MutationObserver(() => links.add(document.querySelector('#link').dataset.link)).observe(document.querySelector('#link'), {attributes: true});
		const real = window.fetch;
		window.fetch = (path, init) => (path !== '/v1/status' || window.goOn ? real(path, init) : new Promise((_, no) => {
			window.held = true;
			init.signal.addEventListener('abort', () => no(init.signal.reason));
		}))`)
	p.await("a look that takes long", "window.held")
	p.do("window.goOn = true")
	p.enter(writeToken)
	p.entered()
	p.await("it is live", "document.querySelector('#link').dataset.link === 'live' && performance.getEntriesByName('brood-update').length > 0")
	p.do("performance.clearMeasures('brood-update')")
	p.await("another look", "performance.getEntriesByName('brood-update').length > 0")
	if eval[bool](p, "links.has('lost')") {
		t.Error("the page says that the connection is lost")
	}
}

// A page in the background reads nothing, not even a log that is open.
func background(t *testing.T, b *browser) {
	s, at := play(t, crowd("web", 2))
	p := b.open(t, at, 1280, 900)
	p.await("all workers", ready(2))
	p.enter(writeToken)
	p.entered()
	p.click(slotOf("web", 0))
	log := func(begins bool) {
		t.Helper()
		select {
		case got := <-s.reads:
			if got != begins {
				t.Fatalf("a reader of the log begins: %t, want %t", got, begins)
			}
		case <-time.After(patience):
			t.Fatalf("no reader of the log for which begins is %t", begins)
		}
	}
	log(true)
	turn := func(hidden string) {
		p.do("Object.defineProperty(document, 'hidden', {value: " + hidden + ", configurable: true}); document.dispatchEvent(new Event('visibilitychange'))")
	}
	turn("true")
	log(false)
	p.await("it is paused", "document.querySelector('#link').dataset.link === 'paused'")
	turn("false")
	log(true)
	p.await("it is live", "document.querySelector('#link').dataset.link === 'live'")
	p.press(kb.Escape)
	log(false)
}

// A page whose token is not known any more says so, and shows what everybody may see.
func anotherToken(t *testing.T, b *browser) {
	s, at := play(t, crowd("web", 2))
	p := b.open(t, at, 1280, 900)
	p.await("all workers", ready(2))
	p.enter(writeToken)
	p.entered()
	const other = "may-ask-for-all-as-well"
	write(t, s.token, other) // which everybody may read: it is refused, and brood says so
	p.await("the reason is told", "document.querySelector('#notices').innerText.includes('brood refuses: cannot read the tokens')")
	chmod(t, s.token, 0o600)
	p.await("it is said", "document.querySelector('#notices').innerText.includes('not known any more')")
	s.becomes(func(snap *supervisor.Snapshot) { snap.Pools = []supervisor.PoolView{crowd("web", 3)} }, moves("web", 2, "ready"))
	p.await("it is live", "document.querySelector('#link').dataset.link === 'live' && "+ready(3))
	p.enter(other)
	p.entered()
	p.await("nothing is wrong", "document.querySelector('#notices').innerText === ''")
}
