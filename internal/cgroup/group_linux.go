package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// ErrFrozen is returned for a group in which nothing runs: whoever forks into it waits for ever.
var ErrFrozen = errors.New("the group is frozen")

// Group is the group of one worker. It has nothing before Make and nothing after Remove.
type Group struct {
	tree   *Tree
	pool   string
	name   string
	limits Limits
	hit    func()

	mu      sync.Mutex
	dir     string
	has     []string // controllers
	events  int      // cgroup.events, watched; -1 if the group is not there
	pids    int      // pids.events, watched until the limit was hit once; else -1
	told    bool     // that the limit was hit
	emptied func()
	over    bool // to be removed as soon as it is empty
	lived   bool // it was made by the program before, and may be frozen: nobody is born in it
}

// Group describes the group of a worker; nothing is made yet. The name must be like "SLOT-SIDE-NUMBER", and differ from
// those of the others in the pool. hit, which may be nil, is called at most once, when PidsMax kept a process from being
// made. It must not block.
func (t *Tree) Group(pool, name string, l Limits, hit func()) *Group {
	return &Group{tree: t, pool: pool, name: name, limits: l, hit: hit, events: -1, pids: -1}
}

// Make makes the group with its limits and returns a descriptor of its directory, for clone(2) with CLONE_INTO_CGROUP,
// which the caller closes. emptied is called on the poller's goroutine each time that the last process has ended; it must
// not block.
//
// A limit that the kernel refuses is reported, and does not keep the group from being made. A group that cannot be made
// is reported as well and gives the descriptor -1: a worker without one is better than none. The only error is ErrFrozen.
func (g *Group) Make(emptied func()) (fd int, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.emptied = emptied
	fd, err = g.makeLocked()
	if errors.Is(err, ErrFrozen) {
		return -1, fmt.Errorf("cannot use control group %s: %w", g.dir, err)
	}
	if g.tree.report("make control groups for pool "+g.pool, err); err != nil {
		return -1, nil
	}
	return fd, nil
}

func (g *Group) makeLocked() (int, error) {
	var err error
	if g.dir, g.has, err = g.tree.mkdir(g.pool, g.name, g.limits); err != nil {
		return -1, err
	}
	g.limitLocked()
	fd := -1
	if err = g.watchLocked(); err == nil {
		fd, err = open(g.dir, unix.O_RDONLY|unix.O_DIRECTORY)
	}
	if err != nil {
		g.dropLocked()
		_ = removeTree(g.dir)
		return -1, err
	}
	g.tree.keep(g)
	return fd, nil
}

// limitLocked writes the limits for which there is a controller; for the others see Tree.Missing.
func (g *Group) limitLocked() {
	if slices.Contains(g.has, ctlMemory) {
		// A worker is one unit: half of one would be up and not working. Kernels before 4.19 do not have it.
		_ = write(g.dir, "memory.oom.group", "1")
	}
	for _, s := range g.limits.settings() {
		if !slices.Contains(g.has, s.controller) {
			continue
		}
		err := write(g.dir, s.file, s.value)
		if s.file == ioWeight && errors.Is(err, os.ErrNotExist) {
			s = s.forBFQ(g.limits.IOWeight)
			err = write(g.dir, s.file, s.value)
		}
		g.tree.report("set "+s.word+" of pool "+g.pool, err)
	}
}

// watchLocked opens what tells about the group. The first read is what later changes are compared with.
func (g *Group) watchLocked() error {
	events, err := open(filepath.Join(g.dir, "cgroup.events"), unix.O_RDONLY)
	if err != nil {
		return err
	}
	g.events = events
	text, err := reread(events)
	if err != nil {
		return err
	}
	if keyed(text, "frozen") != 0 && !g.lived {
		return ErrFrozen
	}
	if err := g.tree.opt.Poller.AddPriority(events, g.changed); err != nil {
		return err
	}
	if g.hit != nil && !g.told && g.limits.PidsMax != 0 && slices.Contains(g.has, ctlPids) {
		g.watchPidsLocked()
	}
	return nil
}

// watchPidsLocked is a convenience: without it the group works as well.
func (g *Group) watchPidsLocked() {
	fd, err := open(filepath.Join(g.dir, "pids.events"), unix.O_RDONLY)
	if err != nil {
		return
	}
	g.pids = fd
	if _, err = reread(fd); err == nil {
		err = g.tree.opt.Poller.AddPriority(fd, g.pidsChanged)
	}
	if err != nil {
		g.pids = -1
		_ = unix.Close(fd)
	}
}

// changed runs on the poller's goroutine.
func (g *Group) changed() {
	g.mu.Lock()
	if g.events < 0 {
		g.mu.Unlock()
		return
	}
	text, err := reread(g.events)
	empty := err != nil || keyed(text, "populated") == 0
	switch {
	case err != nil: // somebody has removed it
		g.goneLocked()
	case empty && g.over:
		g.removeLocked()
	}
	g.mu.Unlock()
	if empty {
		g.emptied()
	}
}

// pidsChanged runs on the poller's goroutine. Once is enough: a fork bomb would say it without end.
func (g *Group) pidsChanged() {
	g.mu.Lock()
	if g.pids < 0 {
		g.mu.Unlock()
		return
	}
	text, err := reread(g.pids)
	hit := err == nil && keyed(text, "max") > 0
	if hit || err != nil {
		g.dropPidsLocked()
	}
	g.told = g.told || hit
	g.mu.Unlock()
	if hit {
		g.hit()
	}
}

// Remove removes the group, at once if it is empty, else as soon as it is.
func (g *Group) Remove() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	g.removeLocked()
}

func (g *Group) removeLocked() {
	if g.events < 0 {
		return
	}
	if err := removeTree(g.dir); errors.Is(err, unix.EBUSY) {
		return // the watch goes on
	}
	g.goneLocked()
}

// end gives up the watch of a group that may have processes.
func (g *Group) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.events >= 0 {
		_ = removeTree(g.dir)
		g.goneLocked()
	}
}

// goneLocked forgets the group.
func (g *Group) goneLocked() {
	g.dropLocked()
	g.tree.mu.Lock()
	delete(g.tree.groups, g)
	g.tree.mu.Unlock()
}

func (g *Group) dropLocked() {
	g.dropPidsLocked()
	if g.events >= 0 {
		_ = g.tree.opt.Poller.Remove(g.events) // not added yet, or the poller is closed
		_ = unix.Close(g.events)
		g.events = -1
	}
}

func (g *Group) dropPidsLocked() {
	if g.pids >= 0 {
		_ = g.tree.opt.Poller.Remove(g.pids)
		_ = unix.Close(g.pids)
		g.pids = -1
	}
}

// reread reads a file from its beginning, which also takes note of the last change.
func reread(fd int) (string, error) {
	var page [pageSize]byte
	n, err := retry(func() (int, error) { return unix.Pread(fd, page[:], 0) })
	if err != nil {
		return "", err
	}
	return string(page[:n]), nil
}
