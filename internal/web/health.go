package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"
)

// healthAge is how long an answer of /healthz counts: a burst of probes costs one.
const healthAge = 5 * time.Second

// healthPage is /healthz.
type healthPage struct {
	probes *probes

	mu     sync.Mutex
	at     time.Time // when it was worked out
	status int
	text   []byte
}

func (p *healthPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, text := p.answer(r)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that left needs no answer
}

// answer is that of at most healthAge ago. Who comes while it is worked out waits for it.
func (p *healthPage) answer(r *http.Request) (status int, text []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.at.IsZero() && time.Since(p.at) < healthAge {
		return p.status, p.text
	}
	turns := p.probes.turns(r)
	if !turns.ok && r.Context().Err() != nil {
		return http.StatusServiceUnavailable, nil // nobody is there to read it, and the next one finds out
	}
	snap := p.probes.sup.Published()
	h := Judge(snap)
	h.Instance, h.Uptime = fmt.Sprintf("%s-%x", p.probes.instance, snap.Started.Unix()), time.Since(snap.Started).Seconds()
	if !turns.ok {
		h.Status, h.Reasons = Unavailable, append(h.Reasons, turns.text)
	}
	p.status = http.StatusOK
	if h.Status == Unavailable {
		p.status = http.StatusServiceUnavailable
	}
	p.at, p.text = time.Now(), encode(h)
	return p.status, p.text
}

// encode writes JSON for people and programs.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	_ = enc.Encode(v) // into memory, and of nothing that cannot be
	return b.Bytes()
}

// instance tells this supervisor from others of its name: the machine and the process. With the time of its start it is
// unlike any other, also in containers, where all have pid 1.
func instance() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}
