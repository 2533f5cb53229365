package control

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// printer is a supervisor whose snapshots stay until it publishes another one.
type printer struct {
	fake
	mu       sync.Mutex
	latest   *supervisor.Snapshot
	measured int
}

func (p *printer) publish(pid int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	reload := &supervisor.ReloadView{Lines: []string{"password is secret"}}
	p.latest = &supervisor.Snapshot{PID: pid, Config: supervisor.ConfigView{Reload: reload}}
}

func (p *printer) Published() *supervisor.Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.latest
}

func (p *printer) Measured() supervisor.Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.measured++
	return *p.latest
}

// A crowd that asks for the status costs one look in half a second, and nobody is told what is past.
func TestStatusIsSharedWhileNothingHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &printer{}
		p.publish(1)
		var page statusPage
		ask := func(want string, measured int) {
			t.Helper()
			text, err := page.answer(p, false)
			if err != nil || !strings.Contains(string(text), want) || p.measured != measured {
				t.Errorf("%v, measured %d times, want %d: %s", err, p.measured, measured, text)
			}
		}
		for range 100 {
			ask(`"pid": 1,`, 1)
		}
		p.publish(2)
		ask(`"pid": 2,`, 2)
		<-time.After(statusAge)
		ask(`"pid": 2,`, 3)
	})
}

// What is shared is shared among those who may see the same.
func TestStatusOfOneIsNotThatOfAnother(t *testing.T) {
	p := &printer{}
	p.publish(1)
	server, _ := serve(t, p)
	t.Cleanup(server.Close)
	h := server.Web(&Tokens{Write: writeTokenFile(t)})
	for range 2 {
		if w := askWeb(t, h, http.MethodGet, PathStatus, ""); strings.Contains(w.Body.String(), "secret") {
			t.Errorf("everybody may see %s", w.Body)
		}
		if w := askWeb(t, h, http.MethodGet, PathStatus, writeToken); !strings.Contains(w.Body.String(), "secret") {
			t.Errorf("with a token one may see only %s", w.Body)
		}
	}
}
