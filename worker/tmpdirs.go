package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

// TmpDirs are directories for temporary files, one for each worker that is to have
// its own: below a base directory in the temporary one of the system (os.TempDir),
// which is a place for much, as the runtime directory in memory is not.
//
// The base has a name that nobody can take before us, and mode 0711: workers of
// any user get through to their own, and nobody sees the names. It is locked as
// long as the supervisor lives, which also keeps systemd-tmpfiles(8) away from what
// is in it. What a supervisor that was killed left behind is removed by the next one
// of its name that needs such directories, unless processes that outlived it have
// their temporary files there.
//
// All methods may be called from any goroutine.
type TmpDirs struct {
	parent, prefix string
	report         func(error)

	removals sync.WaitGroup
	turns    chan struct{} // has room for the removals that may run at a time
	closing  chan struct{} // closed by Close

	mu     sync.Mutex
	base   *tmpBase // nil until the first is wanted
	serial uint64
}

// tmpBase is the directory that those of the workers are in.
type tmpBase struct {
	path string
	root *os.Root
	lock *os.File // the directory; see flock(2)
}

// NewTmpDirs are the directories of the supervisor of a name, which is part of a
// path. Nothing is made before the first Next. What cannot be removed later is
// reported, on any goroutine.
func NewTmpDirs(name string, report func(error)) *TmpDirs {
	return &TmpDirs{
		parent: os.TempDir(), prefix: "brood-" + strconv.Itoa(os.Geteuid()) + "-" + name + "-tmp-",
		report: report, turns: make(chan struct{}, 2), closing: make(chan struct{}),
	}
}

// Next names a directory that has never been there. The label is part of the name.
// The start of a process with it as Command.PrivateTmp makes it.
func (t *TmpDirs) Next(label string) (*TmpDir, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.base == nil || !t.base.isThere() { // somebody may have cleaned up
		base, err := t.newBase()
		if err != nil {
			return nil, fmt.Errorf("cannot make directory for temporary files: %w", err)
		}
		if t.base == nil {
			t.removals.Go(t.clear)
		}
		t.base = base
	}
	t.serial++
	return &TmpDir{dirs: t, base: t.base, name: label + "-" + strconv.FormatUint(t.serial, 10)}, nil
}

// Close waits until what was removed is gone, or ctx is done, and removes the base.
// It is called once, after everything else.
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
	defer t.mu.Unlock()
	if t.base != nil {
		_ = os.Remove(t.base.path) // not empty: the next supervisor's work
		_, _ = t.base.root.Close(), t.base.lock.Close()
		t.base = nil
	}
}

// newBase makes a base that is ours, and stays.
func (t *TmpDirs) newBase() (*tmpBase, error) {
	for {
		parent, err := filepath.Abs(t.parent)
		if err != nil {
			return nil, err
		}
		path, err := os.MkdirTemp(parent, t.prefix)
		if err != nil {
			return nil, err
		}
		base, err := takeBase(path)
		if errors.Is(err, errNotOurs) {
			continue // one that clears away after its predecessor was faster than the lock
		}
		if err != nil {
			return nil, err
		}
		if err := base.lock.Chmod(0o711); err != nil {
			return nil, err
		}
		return base, nil
	}
}

var errNotOurs = errors.New("somebody else has it")

// takeBase locks a base directory. It is not ours if another process has it locked,
// or it belongs to another user, or is none.
func takeBase(path string) (*tmpBase, error) {
	lock, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotOurs, err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("%w: %w", errNotOurs, err)
	}
	base := &tmpBase{path: path, root: root, lock: lock}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil || !base.isThere() {
		_, _ = root.Close(), lock.Close()
		return nil, errNotOurs
	}
	return base, nil
}

// isThere tells whether all ways to it lead to the same directory, of our user.
func (b *tmpBase) isThere() bool {
	named, err1 := os.Lstat(b.path)
	locked, err2 := b.lock.Stat()
	entered, err3 := b.root.Stat(".")
	if errors.Join(err1, err2, err3) != nil || !os.SameFile(named, locked) || !os.SameFile(named, entered) {
		return false
	}
	st, ok := named.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid() && named.IsDir()
}
