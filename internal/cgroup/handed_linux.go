package cgroup

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// HandedTree is a Tree as the program that replaces this one has to know it. Its fields are for encoding.
type HandedTree struct {
	Dir         string // the place
	Path        string
	Moved       bool
	V1          []string
	Undelegated *Missing
	Base        string
	Above, Has  []string
	Entered     bool
	Left        []string
	Lock        int // descriptor of Base, which is locked; -1 if it is not
}

// Descriptors are those that the next program has to inherit.
func (h *HandedTree) Descriptors() []*int {
	if h.Lock < 0 {
		return nil
	}
	return []*int{&h.Lock}
}

// Hand describes the tree to the program that replaces this one. Close must not be called then.
func (t *Tree) Hand() HandedTree {
	p := t.place
	return HandedTree{
		Dir: p.dir, Path: p.path, Moved: p.moved, V1: p.v1, Undelegated: p.undelegated,
		Base: t.base, Above: t.above, Has: t.has, Entered: t.entered, Left: t.left, Lock: t.lock,
	}
}

var errNotLocked = errors.New("the descriptor handed for it is not its lock")

// reopen opens the tree of the program before. What was found out then is not asked again: the answers would be others now
// that there are workers. Nothing is removed before Settle.
func reopen(opt Options) (*Tree, error) {
	h := opt.Handed
	t := blankTree(opt, &place{dir: h.Dir, path: h.Path, moved: h.Moved, v1: h.V1, undelegated: h.Undelegated})
	t.base, t.above, t.has, t.entered, t.left, t.lock = h.Base, h.Above, h.Has, h.Entered, h.Left, h.Lock
	if err := t.verify(); err != nil {
		return nil, fmt.Errorf("cannot use control group %s again: %w", h.Base, err)
	}
	return t, nil
}

// verify makes sure that the base is what it was said to be.
func (t *Tree) verify() error {
	var fs unix.Statfs_t
	_, err := retry(func() (int, error) { return 0, unix.Statfs(t.base, &fs) })
	switch {
	case err != nil:
		return err
	case fs.Type != unix.CGROUP2_SUPER_MAGIC:
		return unix.ENODEV
	case t.lock < 0:
		return nil
	}
	var held, found unix.Stat_t
	err = errors.Join(unix.Fstat(t.lock, &held), unix.Stat(t.base, &found), unix.Flock(t.lock, unix.LOCK_EX|unix.LOCK_NB))
	if err != nil || held.Ino != found.Ino || held.Dev != found.Dev {
		return errors.Join(errNotLocked, err)
	}
	unix.CloseOnExec(t.lock)
	return nil
}

// HandedGroup is the group of a worker that runs on. The zero value is none.
type HandedGroup struct {
	Dir string
	Hit bool // that its PidsMax was hit was told
}

// Descriptors are none: groups are found by their paths.
func (h *HandedGroup) Descriptors() []*int { return nil }

// Hand describes the group to the program that replaces this one.
func (g *Group) Hand() HandedGroup {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.events < 0 {
		return HandedGroup{}
	}
	return HandedGroup{Dir: g.dir, Hit: g.told}
}

// Adopt returns the group of a worker that the program before has started, after Open with Options.Handed and before
// Settle. Its limits stay what they are; hit is called if it was not before. The caller calls Watch next.
func (t *Tree) Adopt(pool, name string, l Limits, hit func(), h HandedGroup) (*Group, error) {
	dir := filepath.Join(t.base, poolPrefix+escape(pool))
	if filepath.Dir(h.Dir) != dir {
		return nil, fmt.Errorf("cannot adopt control group %q: it is not in %s", h.Dir, dir)
	}
	if err := unix.Access(filepath.Join(h.Dir, "cgroup.events"), unix.F_OK); err != nil {
		return nil, fmt.Errorf("cannot adopt control group %s: %w", h.Dir, err)
	}
	g := t.Group(pool, name, l, hit)
	g.dir, g.has, g.told, g.lived = h.Dir, listed(h.Dir, "cgroup.controllers"), h.Hit, true
	t.keep(g)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pools[pool] == nil {
		t.pools[pool] = &poolDir{dir: dir}
	}
	return g, nil
}

// Watch is called instead of Make for a group of Adopt: emptied is called each time that the last process has ended from now
// on, and not for a group that is empty already. A group that cannot be watched is reported, and is as good as none.
func (g *Group) Watch(emptied func()) {
	g.mu.Lock()
	g.emptied = emptied
	err := g.watchLocked()
	if err != nil {
		g.goneLocked()
	}
	g.mu.Unlock()
	if g.tree.report("watch control groups of pool "+g.pool, err); err == nil {
		g.pidsChanged() // it may have been hit while nobody watched
	}
}

// Settle ends the adoption: groups that nobody has adopted are removed, at once or when their last process has ended. Those
// that Left returned in the program before are left alone. Nothing is made before it.
func (t *Tree) Settle() {
	var adopted []string
	t.mu.Lock()
	for g := range t.groups {
		adopted = append(adopted, g.dir)
	}
	t.mu.Unlock()
	before := t.left
	t.left = nil
	for _, dir := range sweep(t.base, adopted) {
		if slices.Contains(before, dir) {
			t.left = append(t.left, dir)
			continue
		}
		g := t.Group(filepath.Base(filepath.Dir(dir)), filepath.Base(dir), Limits{}, nil)
		g.dir, g.lived = dir, true
		t.keep(g)
		g.Watch(func() {})
		g.Remove()
	}
}
