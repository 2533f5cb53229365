package cgroup

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// mkdir makes the directory of a worker's group, in that of its pool, and tells which controllers it has. The tree is
// locked meanwhile, so that we do not forget the pool in between. Others, who may have removed it, get one chance.
func (t *Tree) mkdir(pool, name string, l Limits) (dir string, has []string, err error) {
	var tried map[string]error
	t.mu.Lock()
	for range 2 {
		var p *poolDir
		p, tried, err = t.poolLocked(pool, l)
		if err == nil {
			dir, err = mkdirIn(p.dir, escape(name))
			has = slices.Clone(p.handed)
		}
		if !errors.Is(err, unix.ENOENT) {
			break
		}
		delete(t.pools, pool) // what was known of it has gone with it
	}
	t.mu.Unlock()
	for controller, err := range tried {
		t.report("hand the "+controller+" controller down to pool "+pool, err)
	}
	return dir, has, err
}

// mkdirs is how many directories of one name are tried.
const mkdirs = 10

// mkdirIn avoids the directories of an earlier supervisor whose processes still run.
func mkdirIn(pool, name string) (string, error) {
	for n := range mkdirs {
		dir := filepath.Join(pool, name)
		if n > 0 {
			dir += "+" + strconv.Itoa(n+1)
		}
		err := unix.Mkdir(dir, 0o755)
		if errors.Is(err, unix.EEXIST) {
			continue
		}
		if err != nil {
			return "", &os.PathError{Op: "mkdir", Path: dir, Err: err}
		}
		return dir, nil
	}
	return "", &os.PathError{Op: "mkdir", Path: filepath.Join(pool, name), Err: unix.EEXIST}
}

// poolLocked returns the group of a pool, made if need be, after the controllers that the limits need were handed down to
// it; and what became of those that had not been, nil or an error.
func (t *Tree) poolLocked(name string, l Limits) (*poolDir, map[string]error, error) {
	p := t.pools[name]
	if p == nil {
		p = &poolDir{dir: filepath.Join(t.base, poolPrefix+escape(name))}
		if err := unix.Mkdir(p.dir, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
			return nil, nil, &os.PathError{Op: "mkdir", Path: p.dir, Err: err}
		}
		t.pools[name] = p
	}
	return p, t.handDownLocked(p, l), nil
}

// handDownLocked hands down what a pool needs and does not have. Whatever is refused is asked for again with the next
// worker: whoever was in the way may be gone.
func (t *Tree) handDownLocked(p *poolDir, l Limits) map[string]error {
	want := always()
	for _, s := range l.settings() {
		want = append(want, s.controller)
	}
	tried := map[string]error{}
	for _, controller := range want {
		if slices.Contains(p.handed, controller) || !slices.Contains(t.has, controller) {
			continue
		}
		err := t.handDown(controller, p.dir)
		if err == nil {
			p.handed = append(p.handed, controller)
		}
		tried[controller] = err
	}
	return tried
}

func (t *Tree) handDown(controller, pool string) error {
	for _, dir := range append(slices.Clone(t.above), pool) {
		if slices.Contains(listed(dir, "cgroup.subtree_control"), controller) {
			continue
		}
		if err := write(dir, "cgroup.subtree_control", "+"+controller); err != nil {
			return err
		}
	}
	return nil
}

// Strain is how much the workers of a pool wait for memory and for CPUs.
type Strain struct {
	Memory, CPU Pressure
}

// Pressure reads what the workers of a pool wait for. Kernels without it, and pools that never had a worker, give an
// error that wraps os.ErrNotExist.
func (t *Tree) Pressure(pool string) (Strain, error) {
	t.mu.Lock()
	p := t.pools[pool]
	t.mu.Unlock()
	if p == nil {
		return Strain{}, os.ErrNotExist
	}
	var s Strain
	var memory, cpu error
	s.Memory, memory = pressureOf(p.dir, "memory.pressure")
	s.CPU, cpu = pressureOf(p.dir, "cpu.pressure")
	return s, errors.Join(memory, cpu)
}

func pressureOf(dir, file string) (Pressure, error) {
	text, err := read(filepath.Join(dir, file))
	if err != nil {
		return Pressure{}, err
	}
	return ParsePressure(text)
}

// Forget removes the group of a pool that is gone. A group with workers stays until Close.
func (t *Tree) Forget(pool string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.pools[pool]; p != nil && unix.Rmdir(p.dir) == nil {
		delete(t.pools, pool)
	}
}
