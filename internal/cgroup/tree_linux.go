package cgroup

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// Poller calls back when the kernel notes a change of a control file; see internal/poll.
type Poller interface {
	AddPriority(fd int, changed func()) error
	Remove(fd int) error
}

// Options are what a Tree needs from its surroundings.
type Options struct {
	// Name is the supervisor's; it tells supervisors apart that share a group.
	Name string
	// Poller watches the groups. It must outlive them.
	Poller Poller
	// Report is told what turns out not to work while workers start: limits that the kernel refuses, and controllers that
	// it does not hand down. Each is told once, and again when it has worked meanwhile. It must not block. Nil hears
	// nothing.
	Report func(error)
	// Handed is the tree of the program that this one has replaced; nil if there was none. See Tree.Settle.
	Handed *HandedTree
	// Proc is where proc(5) is; empty is /proc. Tests have another one.
	Proc string
}

// Tree is the subtree in which workers have their groups.
type Tree struct {
	opt     Options
	place   *place
	base    string   // where the pools are
	above   []string // groups from the top down to base that have to hand a controller down, for a pool to have it
	has     []string // controllers that can be handed down
	lock    int      // on base, if others have theirs beside it; else -1
	entered bool     // we moved into the leaf
	left    []string

	mu       sync.Mutex
	pools    map[string]*poolDir
	groups   map[*Group]struct{} // made and not removed
	reported map[string]bool
}

// poolDir is the group of a pool.
type poolDir struct {
	dir    string
	handed []string // controllers that its workers' groups have
}

// always are the controllers that are handed down although no pool asks for them, where they are to be had: they cost
// next to nothing, and say what a worker uses and what it died of. The others change who gets how much.
func always() []string { return []string{ctlMemory, ctlPids} }

// Open finds out what may be done and prepares for it: it moves us into a leaf where controllers are to be handed down,
// and removes what an earlier supervisor left behind. An error is a *Missing if there is nothing to be had here.
func Open(opt Options) (*Tree, error) {
	if opt.Proc == "" {
		opt.Proc = "/proc"
	}
	if !canCloneInto() {
		return nil, &Missing{What: "clone3(2)", Why: "this kernel, or a filter of system calls, does not let us use it"}
	}
	if opt.Handed != nil {
		return reopen(opt)
	}
	p, err := findPlace(opt.Proc)
	if err != nil {
		return nil, fmt.Errorf("cannot use control groups: %w", err)
	}
	t := blankTree(opt, p)
	if err := t.settle(); err != nil {
		t.unlock()
		return nil, fmt.Errorf("cannot use control groups: %w", err)
	}
	t.left = sweep(t.base, nil)
	return t, nil
}

func blankTree(opt Options, p *place) *Tree {
	return &Tree{
		opt: opt, place: p, base: p.dir, lock: -1,
		pools: map[string]*poolDir{}, groups: map[*Group]struct{}{}, reported: map[string]bool{},
	}
}

// keep takes note of a group that is there.
func (t *Tree) keep(g *Group) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.groups[g] = struct{}{}
}

// settle takes the place.
func (t *Tree) settle() error {
	p := t.place
	switch {
	case p.undelegated != nil:
		if err := t.beside(); err != nil {
			return err
		}
		t.above, t.has = []string{t.base}, listed(t.base, "cgroup.controllers")
	case p.root:
		if err := t.beside(); err != nil {
			return err
		}
		t.above, t.has = []string{p.dir, t.base}, listed(p.dir, "cgroup.controllers")
	default:
		t.above, t.has = []string{p.dir}, listed(p.dir, "cgroup.controllers")
		if err := t.enterLeaf(); err != nil {
			return err
		}
	}
	if unix.Access(filepath.Join(t.base, "cgroup.kill"), unix.F_OK) != nil {
		return &Missing{What: "cgroup.kill", Why: "this kernel is older than Linux 5.14"}
	}
	return nil
}

// enterLeaf moves us where we are not in the way of controllers, if there are any that we could hand down.
func (t *Tree) enterLeaf() error {
	if t.place.moved || !slices.ContainsFunc(t.has, ours) {
		return nil
	}
	leaf := filepath.Join(t.place.dir, leafName)
	if err := unix.Mkdir(leaf, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
		return &os.PathError{Op: "mkdir", Path: leaf, Err: err}
	}
	if err := write(leaf, "cgroup.procs", strconv.Itoa(os.Getpid())); err != nil {
		return err
	}
	t.entered = true
	return nil
}

// ours are the controllers that we have a use for.
func ours(controller string) bool {
	return slices.Contains([]string{ctlCPU, ctlIO, ctlMemory, ctlPids}, controller)
}

// Left are the groups of an earlier supervisor whose processes still run. They are not touched.
func (t *Tree) Left() []string { return slices.Clone(t.left) }

// Missing says what the limits of a pool cannot do without, and is not there.
func (t *Tree) Missing(l Limits) []*Missing {
	var all []*Missing
	of := map[string]*Missing{}
	for _, s := range l.settings() {
		m := of[s.controller]
		if m == nil {
			if m = t.place.lacks(s.controller, t.has); m == nil {
				continue
			}
			of[s.controller] = m
			all = append(all, m)
		}
		m.Words = append(m.Words, s.word)
	}
	return all
}

// Close removes what is empty, and undoes what Open did as far as nobody needs it any more. Groups with processes stay.
func (t *Tree) Close() {
	t.mu.Lock()
	groups, pools := slices.Collect(maps.Keys(t.groups)), maps.Clone(t.pools)
	t.mu.Unlock()
	for _, g := range groups {
		g.end()
	}
	for _, p := range pools {
		_ = removeTree(p.dir)
	}
	if t.entered {
		for _, name := range listed(t.place.dir, "cgroup.subtree_control") {
			_ = write(t.place.dir, "cgroup.subtree_control", "-"+name)
		}
		if write(t.place.dir, "cgroup.procs", strconv.Itoa(os.Getpid())) == nil {
			_ = unix.Rmdir(filepath.Join(t.place.dir, leafName))
		}
	}
	t.unlock()
}

// report passes a failure on, once for each text that begins it, until there is a success.
func (t *Tree) report(what string, err error) {
	t.mu.Lock()
	known := t.reported[what]
	if err == nil {
		delete(t.reported, what)
	} else {
		t.reported[what] = true
	}
	t.mu.Unlock()
	if err != nil && !known && t.opt.Report != nil {
		t.opt.Report(fmt.Errorf("cannot %s: %w", what, err))
	}
}

// canCloneInto asks for a process of no size: who knows the call calls that invalid, and makes none.
func canCloneInto() bool {
	_, _, errno := unix.RawSyscall(unix.SYS_CLONE3, 0, 0, 0)
	return errno == unix.EINVAL
}
