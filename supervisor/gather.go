package supervisor

import "errors"

// gather makes one verdict out of those of several pools. Only the loop uses it.
type gather struct {
	left      int
	all       Verdict
	sup       *Supervisor
	reloading bool // systemd is to hear of its end
	reply     replier
}

func newGather(n int, reply replier) *gather { return &gather{left: n, reply: reply} }

func (g *gather) give(v Verdict) {
	if v.Text != "" && g.all.Text != "" {
		v.Text = "\n" + v.Text
	}
	g.all.Text += v.Text
	g.all.Err = errors.Join(g.all.Err, v.Err)
	g.all.Lines = append(g.all.Lines, v.Lines...)
	g.left--
	if g.left > 0 {
		return
	}
	if g.reloading {
		g.sup.systemd.reloaded()
	}
	g.reply.give(g.all)
}
