package host

import (
	"errors"

	"github.com/broodctl/brood/internal/cgroup"
	"github.com/broodctl/brood/supervisor"
)

// groupTree is a cgroup.Tree as the supervisor knows it.
type groupTree struct{ *cgroup.Tree }

// Group describes the group of one worker.
func (t groupTree) Group(pool, name string, l cgroup.Limits, hit func()) supervisor.Group {
	return t.Tree.Group(pool, name, l, hit)
}

// openGroups finds out whether workers can have control groups, and tells the world. What it returns undoes that.
func (h *Host) openGroups() (closeGroups func()) {
	tree, err := cgroup.Open(cgroup.Options{
		Name: h.opt.Name, Poller: h.poller,
		Report: func(err error) { h.log.Warn().Err(err).Msg("control groups of workers are not as they should be") },
	})
	if err != nil {
		if _, ok := errors.AsType[*cgroup.Missing](err); !ok {
			h.log.Warn().Err(err).Msg("workers have no control groups")
		}
		h.world.NoGroups = err
		return func() {}
	}
	if left := tree.Left(); len(left) > 0 {
		h.log.Warn().Strs("groups", left).Msg("processes of an earlier supervisor still run, and are left alone")
	}
	h.world.Groups = groupTree{tree}
	return tree.Close
}
