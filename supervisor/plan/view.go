package plan

import (
	"fmt"
	"io"
	"strings"
)

// Hearing says what a reload comes to for a pool that is not rolled by it.
type Hearing uint8

// What the workers of a pool hear of a reload.
const (
	Unknown   Hearing = iota // nobody has looked at its workers
	Signal                   // the reload signal is relayed
	Untouched                // they would not survive it
	Replaced                 // nothing has changed at all, and they cannot be told: the pool is rolled
)

// View is a plan for people and programs: the answer of the plan API.
type View struct {
	Empty     bool           `json:"empty"` // nothing changed; a reload only tells the workers
	Pools     []PoolView     `json:"pools"`
	Listeners []ListenerView `json:"listeners"`
	Fixed     []string       `json:"fixed,omitempty"` // keys whose change takes effect when brood is started anew
}

// PoolView is what a plan does to one pool.
type PoolView struct {
	Pool    string   `json:"pool"`
	Action  string   `json:"action"` // added, removed, rolled, scaled, adjusted, signalled, untouched
	Reasons []string `json:"reasons,omitempty"`
	From    int      `json:"from"` // workers
	To      int      `json:"to"`
	After   []string `json:"after,omitempty"` // pools whose changes come first
}

// ListenerView is what a plan does to one listener.
type ListenerView struct {
	Listener string   `json:"listener"`
	Address  string   `json:"address"`
	Action   string   `json:"action"` // added, removed, adjusted, kept
	Reasons  []string `json:"reasons,omitempty"`
}

// View shows the plan. hear says of the pools that are not rolled what they will hear.
func (p *Plan) View(hear func(pool string) Hearing) View {
	v := View{Empty: p.Empty(), Fixed: p.Fixed, Pools: []PoolView{}, Listeners: []ListenerView{}}
	for i := range p.Changes {
		c := &p.Changes[i]
		pool := PoolView{Pool: c.Pool, Action: c.Kind.String(), Reasons: c.Reasons, From: c.Workers}
		if c.To != nil {
			pool.To = c.To.Spec.Workers
		}
		if c.Kind == Kept {
			pool.Action = hear(c.Pool).action()
		}
		for _, j := range c.Needs {
			pool.After = append(pool.After, p.Changes[j].Pool)
		}
		v.Pools = append(v.Pools, pool)
	}
	for i := range p.Listeners {
		l := &p.Listeners[i]
		v.Listeners = append(v.Listeners, ListenerView{Listener: l.Name, Address: l.Address, Action: l.Kind.String(), Reasons: l.Reasons})
	}
	return v
}

func (h Hearing) action() string {
	return [...]string{"signalled or untouched", "signalled", "untouched", "rolled"}[h]
}

// Print writes the plan as a table of lines, without what stays as it is unless all is.
func (v *View) Print(w io.Writer) error {
	var b strings.Builder
	if v.Empty {
		b.WriteString("the configuration has not changed\n")
	}
	for _, key := range v.Fixed {
		fmt.Fprintf(&b, "! %s: takes effect when brood is started anew\n", key)
	}
	for i := range v.Listeners {
		if l := &v.Listeners[i]; l.Action != Kept.String() {
			fmt.Fprintf(&b, "%s listener %s on %s: %s%s\n", sign(l.Action), l.Listener, l.Address, l.Action, because(l.Reasons))
		}
	}
	for i := range v.Pools {
		p := &v.Pools[i]
		fmt.Fprintf(&b, "%s pool %s: %s%s%s", sign(p.Action), p.Pool, p.Action, because(p.Reasons), p.workers())
		if len(p.After) > 0 {
			fmt.Fprintf(&b, ", after %s", strings.Join(p.After, ", "))
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (p *PoolView) workers() string {
	if p.From == p.To {
		return ""
	}
	return fmt.Sprintf(", %d -> %s", p.From, workers(p.To))
}

func because(reasons []string) string {
	if len(reasons) == 0 {
		return ""
	}
	return " (" + strings.Join(reasons, ", ") + ")"
}

// sign is what diffs begin a line with.
func sign(action string) string {
	switch action {
	case "added":
		return "+"
	case "removed":
		return "-"
	case "rolled", "scaled", "adjusted":
		return "~"
	}
	return " "
}
