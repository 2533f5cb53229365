package control

import (
	"net/http"
	"sync"
	"time"

	"github.com/broodctl/brood/supervisor"
)

// statusAge is how long one answer is for all who ask, if nothing is published meanwhile. That of a thousand workers has half a
// megabyte and takes milliseconds, and whoever can connect to the page for browsers may ask.
const statusAge = 500 * time.Millisecond

// statusPage is the status as it was written down last.
type statusPage struct {
	mu   sync.Mutex
	of   *supervisor.Snapshot // what was published then
	at   time.Time
	text []byte
}

// answer is the status. Who asks while it is written down waits for it.
func (p *statusPage) answer(sup Supervisor, isGlance bool) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	published, now := sup.Published(), time.Now()
	if p.of == published && now.Sub(p.at) < statusAge {
		return p.text, nil
	}
	snap := sup.Measured()
	if isGlance {
		snap.Config = glanced(snap.Config)
	}
	text, err := encode(snap)
	if err != nil {
		return nil, err
	}
	p.of, p.at, p.text = published, now, text
	return text, nil
}

func (a *api) status(w http.ResponseWriter, r *http.Request) {
	isGlance := callerIn(r.Context()).may == mayGlance
	page := &a.page
	if isGlance {
		page = &a.glance
	}
	text, err := page.answer(a.sup, isGlance)
	if err != nil {
		refuse(w, http.StatusInternalServerError, CodeInternal, "cannot write the answer: "+err.Error())
		return
	}
	send(w, http.StatusOK, text)
}
