package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/broodctl/brood/internal/control"
	"github.com/broodctl/brood/internal/text"
	"github.com/broodctl/brood/supervisor"
)

// request is what a command asks for.
type request struct {
	verb supervisor.Verb
	body control.Body
	at   string // POOL or POOL.SLOT, which becomes a part of the body; "" is what the body says
}

// resolve finds the pool and the slot that are meant, and refuses those that there are not, before anything is asked for:
// they may be others but for a letter. A supervisor that does not answer at all is found out too.
func (r *request) resolve(c *cli.Context, client *control.Client) error {
	snap, err := statusWithin(c.Context, client, answerIn(c))
	if err != nil {
		return err
	}
	if r.at != "" {
		at, err := readPlace(&snap, r.at)
		if err != nil {
			return err
		}
		r.body.Pool, r.body.Slot = at.pool, at.slot
	}
	switch {
	case r.verb == supervisor.Scale && r.body.Pool == "" && len(snap.Pools) > 1:
		return usage("brood scale 6 --pool "+snap.Pools[0].Name, "say which pool is meant: there is more than one: %s", strings.Join(poolNames(&snap), ", "))
	case r.body.Pool != "" && poolOf(&snap, r.body.Pool) == nil:
		return noPool(&snap, r.body.Pool)
	case r.verb == supervisor.Restart && r.body.Slot == nil:
		return usage("brood roll --pool "+r.body.Pool+" replaces all workers of a pool", "say which slot is meant, as %s.0", r.body.Pool)
	}
	return nil
}

func poolOf(snap *supervisor.Snapshot, name string) *supervisor.PoolView {
	for i := range snap.Pools {
		if snap.Pools[i].Name == name {
			return &snap.Pools[i]
		}
	}
	return nil
}

func noPool(snap *supervisor.Snapshot, name string) error {
	names := poolNames(snap)
	hint := "brood status shows what there is"
	if len(names) > 0 {
		hint = "there is: " + strings.Join(names, ", ")
	}
	if near := text.Near(name, names); near != "" {
		return usage(hint, "no such pool %q: did you mean %q?", name, near)
	}
	return usage(hint, "no such pool %q", name)
}

func poolNames(snap *supervisor.Snapshot) []string {
	names := make([]string, len(snap.Pools))
	for i := range snap.Pools {
		names[i] = snap.Pools[i].Name
	}
	return names
}

// place is a pool, or one slot of it.
type place struct {
	pool string
	slot *int // nil is all of them
}

// readPlace reads POOL or POOL.SLOT. A pool may have a dot in its name, so the supervisor's pools say which it is.
func readPlace(snap *supervisor.Snapshot, word string) (place, error) {
	if poolOf(snap, word) != nil {
		return place{pool: word}, nil
	}
	at := strings.LastIndexByte(word, '.')
	if at < 0 {
		return place{}, noPool(snap, word)
	}
	name, number := word[:at], word[at+1:]
	p := poolOf(snap, name)
	if p == nil {
		return place{}, noPool(snap, name)
	}
	slot, err := strconv.Atoi(number)
	if err != nil || slot < 0 || strings.HasPrefix(number, "+") {
		return place{}, usage("as "+name+".0", "cannot read %q: %q is no number of a slot", word, number)
	}
	if slot >= p.Desired && !hasSlot(p, slot) {
		return place{}, usage(slotsOf(p), "no such slot: %s", word)
	}
	return place{pool: name, slot: &slot}, nil
}

func hasSlot(p *supervisor.PoolView, slot int) bool {
	for i := range p.Workers {
		if p.Workers[i].Slot == slot {
			return true
		}
	}
	return false
}

func slotsOf(p *supervisor.PoolView) string {
	if p.Desired < 1 {
		return fmt.Sprintf("pool %s has no slots", p.Name)
	}
	return fmt.Sprintf("pool %s has the slots 0 to %d", p.Name, p.Desired-1)
}
