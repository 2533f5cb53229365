//go:build e2e

package e2e

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/broodctl/brood/internal/testguest"
)

var look = regexp.MustCompile(`\x1b\[([0-9;]*)m`)

// looks is how the next characters of a terminal look.
type looks struct {
	colour               string // a class, "" for the usual one
	bold, faint, reverse bool
}

// set obeys one number of a sequence that sets looks, as far as our programs use them.
func (l *looks) set(code string) {
	switch code {
	case "", "0":
		*l = looks{}
	case "1":
		l.bold = true
	case "2":
		l.faint = true
	case "7":
		l.reverse = true
	case "39":
		l.colour = ""
	case "31", "32", "33", "34", "35", "36", "90":
		l.colour = "c" + code
	}
}

func (l *looks) classes() string {
	all := l.colour
	for class, on := range map[string]bool{"b": l.bold, "f": l.faint, "r": l.reverse} {
		if on {
			all += " " + class
		}
	}
	return all
}

// paint makes a page of what a terminal shows, with its colours.
func paint(screen string) string {
	var b strings.Builder
	b.WriteString(`<!doctype html><meta charset="utf-8"><style>body{margin:0;background:#11151c}
		pre{margin:0;padding:12px 14px;display:inline-block;font:14px/1.3 "DejaVu Sans Mono",monospace;color:#d7dde8;background:#11151c}
		.c31{color:#ff7b85}.c32{color:#7bd88f}.c33{color:#e8c268}.c34{color:#7aaaf8}.c35{color:#cdb2f7}.c36{color:#6fd3d9}.c90{color:#8792a5}
		.b{font-weight:700}.f{opacity:.6}.r{background:#d7dde8;color:#11151c}</style><pre>`)
	var now looks
	for rest := screen; ; {
		at := look.FindStringSubmatchIndex(rest)
		if at == nil {
			at = []int{len(rest), len(rest), len(rest), len(rest)}
		}
		fmt.Fprintf(&b, `<span class="%s">%s</span>`, now.classes(), html.EscapeString(rest[:at[0]]))
		if at[0] == len(rest) {
			return b.String()
		}
		for code := range strings.SplitSeq(rest[at[2]:at[3]], ";") {
			now.set(code)
		}
		rest = rest[at[1]:]
	}
}

// picture shows what is on a terminal in a browser, where it is kept if E2E_SCREENS says so; with another directory in place
// of that of the test.
func (m *tmux) picture(b *browser, width, height int64, dir string) {
	m.t.Helper()
	page := paint(strings.ReplaceAll(m.must("capture-pane", "-p", "-e", "-N"), dir, "/etc/brood"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(page))
	}))
	m.t.Cleanup(server.Close)
	b.open(m.t, server.URL, width, height)
}

// TestTerminalScreens looks at brood status and brood top as an operator does at night: three pools, of which one has a worker
// that dies and one that never gets ready.
func TestTerminalScreens(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	dir := site(t)
	ports := freePorts(t, 2)
	m := manage(t, dir, together(
		served("web", ports[0]).with("pool.web.command", list(guestBin(), testguest.Word, "http", "-notify"), "pool.web.workers", "4"),
		served("api", ports[1]).with("pool.api.command", list(guestBin(), testguest.Word, "http", "-notify")),
		keys{"supervisor.name": `"shop"`, "pool.mailer.command": list("sh", "-c", `test "$BROOD_SLOT" = 0 && exec sleep 600; test -e `+filepath.Join(dir, "down")+
			` || exec sleep 600; echo 'cannot connect to smtp.internal:25: connection refused' >&2; exit 3`), "pool.mailer.workers": "2", "pool.mailer.ready": `"delay:500ms"`},
	))
	load := lightTraffic(t, ports[0])
	defer load.stopLoads()
	write(t, filepath.Join(dir, "down"), "")
	if err := syscall.Kill(m.status().named("mailer").Workers[1].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	m.await("deaths", func() bool { return m.status().named("mailer").Restarts > 2 })
	for name, scene := range map[string]struct {
		width, height int
		words         string
		shows         []string
		keys          []string
	}{
		"status":          {100, 25, "status", []string{"pool mailer", "died_young"}, nil},
		"status-80":       {80, 40, "NO_COLOR=1 status", []string{"pool mailer", "died_young"}, nil},
		"top":             {100, 18, "top", []string{"died_young"}, nil},
		"top-80-colour":   {80, 24, "top", []string{"died_young"}, nil},
		"top-80":          {80, 24, "NO_COLOR=1 top", []string{"died_young"}, nil},
		"top-120":         {120, 30, "NO_COLOR=1 top", []string{"died_young"}, nil},
		"top-60":          {60, 15, "top", []string{"died_young"}, nil},
		"top-question":    {100, 18, "top", []string{"Type y to do it"}, []string{"r"}},
		"top-worker":      {100, 18, "top", []string{"http -notify"}, []string{"Down", "Enter"}},
		"top-environment": {100, 30, "top", []string{"variables as it was started"}, []string{"Down", "Enter", "4"}},
		"top-files":       {100, 30, "top", []string{"socket"}, []string{"Down", "Enter", "2"}},
		"top-log":         {80, 24, "top", []string{"smtp.internal"}, []string{"u", "Down", "Enter", "5"}},
		"top-events":      {80, 24, "top", []string{"death"}, []string{"u", "Down", "Enter", "6"}},
		"top-help":        {80, 24, "top", []string{"any other key"}, []string{"?"}},
	} {
		t.Run(name, func(t *testing.T) {
			term := openTerminal(t, scene.width, scene.height)
			before, verb, said := strings.Cut(scene.words, " ")
			if !said {
				before, verb = "", before
			}
			term.enter("PS1=; clear; " + before + " " + broodBin() + " " + verb + " --control " + m.control + map[string]string{"top": " --interval 500ms"}[verb])
			if verb == "top" {
				term.shows(" CPU%") // with a second measurement
			}
			for _, key := range scene.keys {
				term.press(key)
			}
			for _, text := range scene.shows {
				term.shows(text)
			}
			term.picture(b, int64(843*scene.width/100+28), int64(182*scene.height/10+24), dir)
		})
	}
}
