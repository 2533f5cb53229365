package hooks

import (
	"cmp"
	"context"
)

// Place is how far a hook has come in the events of a supervisor. It is made for encoding/json.
type Place struct {
	Hook   string `json:"hook"`             // its name
	Last   uint64 `json:"last"`             // the event that it has come to: delivered, dropped, or none of its
	Missed int    `json:"missed,omitempty"` // that were dropped since the last delivery
}

// Hand ends the runner, so that another one goes on where it was, maybe in another program; see [Options]. Nothing more is
// begun, and what is being delivered may end until ctx does. What has not is delivered again, and so one event of a hook may
// come twice, with the same key; none is lost.
func (r *Runner) Hand(ctx context.Context) []Place {
	r.isHanded.Store(true)
	r.halt()
	r.end(ctx)
	all := make([]Place, 0, len(r.all))
	for _, d := range r.all {
		if lost := d.queue.lost(); d.broken == 0 { // else they came behind that one, and are read again
			r.lose(d, lost)
		}
		p := Place{Hook: d.hook.Name, Last: d.read, Missed: d.missed}
		if next := cmp.Or(d.broken, d.queue.first()); next > 0 {
			p.Last = next - 1
		}
		all = append(all, p)
	}
	return all
}
