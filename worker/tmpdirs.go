package worker

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// TmpDirs are directories for temporary files, one for each worker that is to have
// its own: below a base directory in the temporary one of the system (os.TempDir),
// which is a place for much, as the runtime directory in memory is not.
//
// The base has a name that nobody can take before us, and mode 0711: workers of
// any user get through to their own, and nobody sees the names. It is there, and
// locked, as long as a worker has a directory in it, which also keeps
// systemd-tmpfiles(8) away from what is in it. What a supervisor that was killed left
// behind is removed by the next one of its name that needs such directories, unless
// processes that outlived it have their temporary files there.
//
// All methods may be called from any goroutine.
type TmpDirs struct {
	parent, prefix string
	report         func(error)

	removals sync.WaitGroup
	turns    chan struct{} // has room for the removals that may run at a time
	closing  chan struct{} // closed by Close

	mu       sync.Mutex // not held while anything is done to files
	base     *tmpBase   // that the next directory is in; nil if nobody needs one
	bases    map[string]*tmpBase
	serial   uint64
	clearing clearing
	leaving  map[*TmpDir]struct{} // being removed

	unsettled []HandedTmpDir // whose removal begins with Settle
	handed    []int          // descriptors that end with Settle
}

// clearing is how far the removal of what earlier supervisors have left has come.
type clearing uint8

const (
	notCleared clearing = iota
	beingCleared
	cleared
)

// NewTmpDirs are the directories of the supervisor of a name, which is part of a
// path. Nothing is made before the first worker starts. What cannot be removed later
// is reported, on any goroutine.
func NewTmpDirs(name string, report func(error)) *TmpDirs {
	t := &TmpDirs{
		parent: os.TempDir(), prefix: "brood-" + strconv.Itoa(os.Geteuid()) + "-" + name + "-tmp-",
		report: report, turns: make(chan struct{}, 2), closing: make(chan struct{}),
		bases: map[string]*tmpBase{}, leaving: map[*TmpDir]struct{}{},
	}
	if parent, err := filepath.Abs(t.parent); err == nil { // else nothing can be made there either
		t.parent = parent
	}
	return t
}

// Next names a directory that has never been there. The label is part of the name.
// The start of a process with it as Command.PrivateTmp makes it; here nothing is read
// or written, so that a loop may call it. The caller calls Remove in any case.
func (t *TmpDirs) Next(label string) *TmpDir {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.base == nil {
		number := rand.Uint32() //nolint:gosec // who guesses it makes a start fail, and the next one has another
		t.base = &tmpBase{path: filepath.Join(t.parent, t.prefix+strconv.FormatUint(uint64(number), 10))}
		t.bases[t.base.path] = t.base
	}
	t.serial++
	t.base.users++
	return &TmpDir{dirs: t, base: t.base, name: label + "-" + strconv.FormatUint(t.serial, 10)}
}

// enter opens a base for the directory of a worker, and makes it if it is not there.
func (t *TmpDirs) enter(base *tmpBase) (*os.Root, error) {
	root, err := base.enter()
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil && t.base == base {
		t.base = nil // the next one is tried elsewhere
	}
	if err == nil && t.clearing == notCleared {
		t.clearing = beingCleared
		t.removals.Go(t.clear)
	}
	return root, err
}

// leaves takes note that a directory is being removed.
func (t *TmpDirs) leaves(d *TmpDir) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leaving[d] = struct{}{}
}

// left takes note that it is gone.
func (t *TmpDirs) left(d *TmpDir) {
	t.mu.Lock()
	delete(t.leaving, d)
	t.mu.Unlock()
	t.release(d.base)
}

// release removes a base that nobody needs any more.
func (t *TmpDirs) release(base *tmpBase) {
	t.mu.Lock()
	base.users--
	last := base.users == 0
	if last {
		delete(t.bases, base.path)
	}
	if last && t.base == base {
		t.base = nil
	}
	t.mu.Unlock()
	if last {
		base.remove()
	}
}

// Close waits until what was removed is gone, or ctx is done. What is there after that
// is the next supervisor's work. It is called once, after everything else.
func (t *TmpDirs) Close(ctx context.Context) {
	close(t.closing)
	done := make(chan struct{})
	go func() { // ends with the last removal; after ctx, with the program
		defer close(done)
		t.removals.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	t.mu.Lock()
	bases := t.bases
	t.base, t.bases = nil, nil
	t.mu.Unlock()
	for _, base := range bases {
		base.remove()
	}
}
