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

// Adopt finds the group of a worker that the program before has started.
func (t groupTree) Adopt(pool, name string, l cgroup.Limits, hit func(), h cgroup.HandedGroup) (supervisor.Group, error) {
	g, err := t.Tree.Adopt(pool, name, l, hit, h)
	if err != nil {
		return nil, err
	}
	return g, nil
}

// openGroups finds out whether workers can have control groups, and tells the world. What it returns undoes that.
func (h *Host) openGroups() (closeGroups func(), err error) {
	opt := cgroup.Options{
		Name: h.opt.Name, Poller: h.poller,
		Report: func(err error) { h.log.Warn().Err(err).Msg("control groups of workers are not as they should be") },
	}
	if h.doc != nil {
		if opt.Handed = h.doc.Groups; opt.Handed == nil {
			return func() {}, nil
		}
	}
	tree, err := cgroup.Open(opt)
	if err != nil {
		if h.doc != nil {
			return nil, err
		}
		if _, ok := errors.AsType[*cgroup.Missing](err); !ok {
			h.log.Warn().Err(err).Msg("workers have no control groups")
		}
		h.world.NoGroups = err
		return func() {}, nil
	}
	if left := tree.Left(); len(left) > 0 && h.doc == nil {
		h.log.Warn().Strs("groups", left).Msg("processes of an earlier supervisor still run, and are left alone")
	}
	h.groups = tree
	h.world.Groups = groupTree{tree}
	return tree.Close, nil
}
