//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/broodctl/brood/internal/testguest"
)

const (
	writeToken = "may-ask-for-everything"
	readToken  = "may-look-and-no-more"
	// hostile is what somebody writes who wants the dashboard to run it.
	hostile = `<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>`
)

// seen is a supervisor with a dashboard.
type seen struct {
	*managed
	url string
}

// showing starts one whose workers write a hostile line each.
func showing(t *testing.T) *seen {
	t.Helper()
	dir := site(t)
	write(t, filepath.Join(dir, "token"), writeToken)
	write(t, filepath.Join(dir, "reader"), readToken)
	for _, name := range []string{"token", "reader"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ports := freePorts(t, 2)
	script := fmt.Sprintf("echo '%s'; exec %s %s http -notify", hostile, guestBin(), testguest.Word)
	m := manage(t, dir, served("web", ports[0]).with(
		"pool.web.command", list("sh", "-c", script),
		"pool.web.workers", "3",
		"pool.web.rollout.max_surge", "3",
		"pool.web.rollout.settle", `"1500ms"`, // so long both of a slot are there to be seen
		"supervisor.http", word(address(ports[1])),
		"supervisor.control.token_file", word(filepath.Join(dir, "token")),
		"supervisor.control.read_token_file", word(filepath.Join(dir, "reader")),
	))
	return &seen{m, "http://" + address(ports[1]) + "/"}
}

// ready is true when the page shows as many ready workers of the pool web.
func ready(n int) string {
	return fmt.Sprintf(`document.querySelectorAll('[data-pool=web] .room[data-state=ready]').length === %d`, n)
}

// enter enters a token.
func (p *tab) enter(token string) {
	p.t.Helper()
	p.click("#token")
	p.await("the question for the token", "document.querySelector('#secret') === document.activeElement")
	p.press(token, kb.Enter)
}

func (p *tab) entered() {
	p.t.Helper()
	p.await("the token is taken", "!document.querySelector('dialog') && document.querySelector('#token').dataset.rights !== 'none'")
}

// The dashboard of a real supervisor, as somebody uses it.
func TestDashboard(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	s := showing(t)
	p := b.open(t, s.url, 1280, 900)
	p.await("all workers are shown", ready(3))
	p.await("it is live", "document.querySelector('#link').dataset.link === 'live'")

	t.Run("a death is shown", func(t *testing.T) {
		p := b.open(t, s.url, 1280, 900)
		p.await("all workers are shown", ready(3))
		pid := s.status().named("web").Workers[1].PID
		p.await("the pid", fmt.Sprintf(`document.querySelector('[data-pool=web] [data-slot="1"]').ariaLabel.includes('pid %d')`, pid))
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		p.await("the death in the timeline", `document.querySelector('.events [data-event=death]')?.innerText.includes('web 1')`)
		p.await("another process", fmt.Sprintf(`!document.querySelector('[data-pool=web] [data-slot="1"]').ariaLabel.includes('pid %d')`, pid))
		p.await("all are ready again", ready(3)+" && document.querySelector('[data-pool=web]').innerText.includes('1 restart')")
		p.await("it is announced", `/death web slot 1/.test(document.querySelector('#announcer').textContent)`)
	})

	t.Run("no token", func(t *testing.T) {
		p := b.open(t, s.url, 1280, 900)
		p.await("all workers are shown", ready(3))
		if status := eval[int](p, `fetch('/v1/roll', {method: 'POST', body: '{}'}).then((r) => r.status)`); status != http.StatusUnauthorized {
			t.Errorf("a roll without a token is answered with %d", status)
		}
		if status := eval[int](p, `fetch('/v1/logs').then((r) => r.status)`); status != http.StatusUnauthorized {
			t.Errorf("logs without a token are answered with %d", status)
		}
		p.click("[data-pool=web] [data-verb=roll]")
		p.await("the question for the token", "document.querySelector('#secret')")
		p.press(kb.Escape)
		p.await("the end of the question", "!document.querySelector('dialog')")
	})

	t.Run("wrong token", func(t *testing.T) {
		p := b.open(t, s.url, 1280, 900)
		p.await("all workers are shown", ready(3))
		p.enter("wrong-wrong-wrong-wrong")
		p.await("the refusal", "document.querySelector('dialog [role=alert]').textContent.includes('not known')")
	})

	t.Run("token to look", func(t *testing.T) {
		p := b.open(t, s.url, 1280, 900)
		p.await("all workers are shown", ready(3))
		p.enter(readToken)
		p.entered()
		p.click("[data-pool=web] [data-verb=roll]")
		p.await("the refusal", "document.querySelector('dialog').innerText.includes('change nothing')")
	})

	t.Run("hostile log", func(t *testing.T) {
		p := b.open(t, s.url, 1280, 900)
		p.await("all workers are shown", ready(3))
		p.click(`[data-pool=web] [data-slot="0"]`)
		p.click("[data-verb=unlock]")
		p.await("the question for the token", "document.querySelector('#secret') === document.activeElement")
		p.press(readToken, kb.Enter)
		p.await("the line as text", fmt.Sprintf("document.querySelector('.log')?.textContent.includes(%s)", quote(hostile)))
		if eval[bool](p, "window.pwned !== undefined || document.querySelector('.log img, .log script') !== null") {
			t.Error("what a worker wrote has become markup")
		}
	})

	t.Run("roll", func(t *testing.T) {
		p := b.open(t, s.url, 1280, 900)
		p.await("all workers are shown", ready(3))
		p.enter(writeToken)
		p.entered()
		p.click("[data-pool=web] [data-verb=roll]")
		p.await("what it means", "document.querySelector('dialog')?.innerText.includes('All 3 workers are replaced')")
		p.click("dialog [type=submit]")
		p.await("incumbent and successor", "document.querySelector('[data-pool=web] .room .worker:nth-child(2)')")
		p.await("its progress", "document.querySelector('[data-pool=web] .progress-text').textContent.includes('generation 2')")
		p.await("the verdict", "document.querySelector('.operations [data-state=done]')")
		p.await("the new generation", ready(3)+" && document.querySelector('[data-pool=web]').innerText.includes('generation 2')")
		if strings.Contains(eval[string](p, "location.href + document.cookie + JSON.stringify({...localStorage, ...sessionStorage})"), writeToken) {
			t.Error("the token is kept where it does not belong")
		}
	})

	s.must("stop")
	p.await("the end is said", "document.querySelector('#notices').innerText.includes('has ended')")
	again := launch(t, options{file: s.path})
	p.await("it is live again", "document.querySelector('#link').dataset.link === 'live' && "+ready(3))
	if pid := again.status().PID; !eval[bool](p, fmt.Sprintf("document.querySelector('#summary').textContent.includes('pid %d')", pid)) {
		t.Errorf("the page shows another supervisor than that of pid %d", pid)
	}
}
