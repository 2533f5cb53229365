//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/broodctl/brood/internal/testhost"
)

// browser is a Chromium without a window, for all pages of a test.
type browser struct{ ctx context.Context }

func startBrowser(t *testing.T) *browser {
	t.Helper()
	testhost.Need(t, testhost.Program("chromium"))
	path, err := testhost.Find("chromium")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	t.Cleanup(cancel)
	// Tests run as root, in containers: there is no sandbox to be had.
	ctx, end := chromedp.NewContext(ctx, chromedp.WithAllocatorOptions(
		chromedp.NoSandbox, chromedp.ExecPath(path), chromedp.Flag("host-resolver-rules", "MAP evil.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")))
	t.Cleanup(end)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("cannot start chromium: %v", err)
	}
	return &browser{ctx}
}

// tab is one page. At the end of its test it complains about every error of its scripts and every breach of its policy.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	messages []string
}

// open shows a page in a window of some size.
func (b *browser) open(t *testing.T, url string, width, height int64) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(b.ctx)
	p := &tab{t: t, ctx: ctx}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height)); err != nil {
		t.Fatal(err)
	}
	console := chromedp.Console(ctx)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for m, err := range console {
			if err != nil {
				return // the tab is closed
			}
			p.mu.Lock()
			p.messages = append(p.messages, string(m.Type)+": "+m.Text)
			p.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		p.keep()
		end()
		<-read
		p.complain()
	})
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *tab) complain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, text := range p.messages {
		if strings.HasPrefix(text, "exception") || strings.Contains(text, "Content Security Policy") || strings.Contains(text, "TrustedHTML") {
			p.t.Error("the browser says:", text)
		}
	}
	if p.t.Failed() {
		p.t.Logf("the console:\n%s", strings.Join(p.messages, "\n"))
	}
}

// keep saves what is to be seen, for a test that fails and for the documentation, if E2E_SCREENS names a directory.
func (p *tab) keep() {
	dir := os.Getenv("E2E_SCREENS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(dir+"/"+strings.ReplaceAll(p.t.Name(), "/", "-")+".png", png, 0o644)
	}
	if err != nil {
		p.t.Log(err)
	}
}

// eval is the value of an expression, or of the promise that it is.
func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// do runs a statement.
func (p *tab) do(statement string) {
	p.t.Helper()
	eval[bool](p, "(() => {"+statement+"; return true})()")
}

// await waits until an expression is true. It looks once per frame, inside of the page: its policy allows no text to be run.
func (p *tab) await(what, expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](fmt.Sprintf(`new Promise((yes) => {
		const look = () => ((%s) ? yes(true) : requestAnimationFrame(look));
		look();
	})`, expression), chromedp.EvalAwaitPromise))
	if err != nil {
		text, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.body.innerText`))
		p.t.Fatalf("after %s still not: %s (%v). The page says:\n%s", patience, what, err, text)
	}
}

// click waits for what a selector finds, and clicks it as somebody with a mouse does.
func (p *tab) click(selector string) {
	p.t.Helper()
	p.await(selector, fmt.Sprintf("document.querySelector(%s)", quote(selector)))
	if err := chromedp.Do(p.ctx, chromedp.Click(chromedp.CSS(selector))); err != nil {
		p.t.Fatalf("cannot click %s: %v", selector, err)
	}
}

// press presses keys.
func (p *tab) press(keys ...string) {
	p.t.Helper()
	for _, key := range keys {
		if err := chromedp.Do(p.ctx, chromedp.KeyEvent(key)); err != nil {
			p.t.Fatal(err)
		}
	}
}

// prefers sets a feature of media queries.
func (p *tab) prefers(name, value string) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: name, Value: value}},
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// quote writes a string as JavaScript does.
func quote(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
