package host

import (
	"errors"
	"fmt"
	"slices"

	"github.com/broodctl/brood/supervisor/plan"
)

// fit reports what does not fit between the parts of a description: of one that was read it is known, of one that was made
// in Go it is not.
func fit(d *plan.Desired) error {
	var errs []error
	bad := func(pool, format string, args ...any) {
		errs = append(errs, fmt.Errorf("cannot run pool %s: %w", pool, fmt.Errorf(format, args...)))
	}
	users := map[string]string{} // the first pool of each listener
	for i := range d.Pools {
		p := &d.Pools[i]
		switch {
		case p.Name == "":
			errs = append(errs, fmt.Errorf("cannot run pool %d of %d: it has no name", i+1, len(d.Pools)))
		case slices.ContainsFunc(d.Pools[:i], func(other plan.Pool) bool { return other.Name == p.Name }):
			bad(p.Name, "another pool has this name")
		}
		for _, name := range p.Listen {
			l := d.Listener(name)
			switch {
			case l == nil && name != EverySpare:
				bad(p.Name, "there is no listener %q", name)
			case users[name] == "":
				users[name] = p.Name
			case users[name] != p.Name && (l == nil || plan.Exclusive(l)):
				bad(p.Name, "listener %s is pool %s's already: give it mode shared, or each pool an address of its own", name, users[name])
			}
		}
		for _, name := range p.After {
			if d.Pool(name) == nil {
				bad(p.Name, "it comes after pool %q, and there is none", name)
			}
		}
	}
	for i := range d.Listeners {
		if name := d.Listeners[i].Name; users[name] == "" {
			errs = append(errs, fmt.Errorf("cannot use listener %s: it is in the Listen of no pool", name))
		}
	}
	if circle := waiting(d); len(circle) > 0 {
		bad(circle[0], "pools %q wait for each other, or for those that do", circle)
	}
	return errors.Join(errs...)
}

// waiting are the pools whose turn to start never comes: each is after another one of them.
func waiting(d *plan.Desired) []string {
	var left []string
	for i := range d.Pools {
		left = append(left, d.Pools[i].Name)
	}
	for before := -1; len(left) != before; {
		before = len(left)
		left = slices.DeleteFunc(left, func(name string) bool {
			return !slices.ContainsFunc(d.Pool(name).After, func(other string) bool { return slices.Contains(left, other) })
		})
	}
	return left
}
