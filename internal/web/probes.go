package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/broodctl/brood/supervisor"
)

// probes are the pages for the probes of Kubernetes and their like: 200 or 503, and a word for people. With ?verbose, and
// if something is wrong, they list what they looked at.
type probes struct {
	sup      Supervisor
	pulse    *pulse
	instance string
}

// checked is one line of a probe's answer.
type checked struct {
	ok   bool
	text string
}

func (c checked) String() string {
	mark := "[-]"
	if c.ok {
		mark = "[+]"
	}
	return mark + strings.ReplaceAll(c.text, "\n", "; ")
}

func (p *probes) live(w http.ResponseWriter, r *http.Request) {
	turns := p.turns(r)
	verdict(w, r, turns.ok, []checked{turns})
}

// turns asks the loop. It does not hurry for who left, because a server that pauses ends requests in the same way.
func (p *probes) turns(r *http.Request) checked {
	if err := p.pulse.check(context.WithoutCancel(r.Context())); err != nil {
		return checked{false, err.Error()}
	}
	return checked{true, "the supervisor's loop turns"}
}

func (p *probes) startup(w http.ResponseWriter, r *http.Request) {
	snap := p.sup.Published()
	ok := snap.State != supervisor.StateStarting && snap.State != supervisor.StateStopping
	verdict(w, r, ok, append([]checked{{ok, "the supervisor is " + snap.State}}, looks(Judge(snap))...))
}

func (p *probes) ready(w http.ResponseWriter, r *http.Request) {
	snap := p.sup.Published()
	h := Judge(snap)
	ok := h.Status != Unavailable
	up := snap.State != supervisor.StateStarting && snap.State != supervisor.StateStopping
	verdict(w, r, ok, append([]checked{{up, "the supervisor is " + snap.State}}, looks(h)...))
}

// looks are the lines about the pools.
func looks(h Health) []checked {
	all := make([]checked, len(h.Pools))
	for i, p := range h.Pools {
		all[i] = checked{p.Status != Unavailable, fmt.Sprintf("pool %s: %d/%d ready", p.Name, p.Ready, p.Desired)}
		if len(p.Reasons) > 0 {
			all[i].text += ", " + strings.Join(p.Reasons, ", ")
		}
	}
	return all
}

// verdict answers a probe.
func verdict(w http.ResponseWriter, r *http.Request, ok bool, looked []checked) {
	code, end := http.StatusOK, "ok\n"
	if !ok {
		code, end = http.StatusServiceUnavailable, "not ok\n"
	}
	if _, verbose := r.URL.Query()["verbose"]; ok && !verbose {
		say(w, code, end)
		return
	}
	var b strings.Builder
	for _, c := range looked {
		b.WriteString(c.String() + "\n")
	}
	say(w, code, b.String()+end)
}
