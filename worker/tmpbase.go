package worker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
)

// tmpBase is the directory that those of workers are in.
type tmpBase struct {
	path  string
	users int // directories that are in it, or will be; guarded by TmpDirs.mu

	mu   sync.Mutex
	held *heldDir // nil if it is not there
}

// heldDir is a directory that nobody else of us has.
type heldDir struct {
	path string
	root *os.Root
	lock *os.File // the same directory; see flock(2)
}

// enter makes it if it was not there yet, or somebody has cleaned up.
func (b *tmpBase) enter() (*os.Root, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held != nil && b.held.isThere() {
		return b.held.root, nil
	}
	b.held.close()
	var err error
	if b.held, err = makeHeld(b.path); err != nil {
		return nil, err
	}
	return b.held.root, nil
}

// root is nil if it is not there.
func (b *tmpBase) root() *os.Root {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held == nil {
		return nil
	}
	return b.held.root
}

// remove removes it if it is empty.
func (b *tmpBase) remove() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held != nil && b.held.isThere() {
		_ = os.Remove(b.path) // what is in it was reported
	}
	b.held.close()
	b.held = nil
}

// makeHeld makes a directory that is ours, and stays.
func makeHeld(path string) (*heldDir, error) {
	for {
		if err := os.Mkdir(path, 0o700); err != nil {
			return nil, err
		}
		held, err := hold(path, syscall.LOCK_EX)
		if _, missing := os.Lstat(path); err != nil && errors.Is(missing, fs.ErrNotExist) {
			continue // one that clears away after its predecessor was faster than the lock
		}
		if err == nil {
			err = held.lock.Chmod(0o711)
		}
		if err != nil {
			held.close()
			_ = os.Remove(path)
			return nil, err
		}
		return held, nil
	}
}

var errNotOurs = errors.New("somebody else has it")

// hold locks a directory, as flock(2) does it. It is not ours if another process has
// it locked, or it belongs to another user, or is none.
func hold(path string, how int) (*heldDir, error) {
	lock, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotOurs, err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("%w: %w", errNotOurs, err)
	}
	h := &heldDir{path: path, root: root, lock: lock}
	if err := syscall.Flock(int(lock.Fd()), how); err != nil || !h.isThere() {
		h.close()
		return nil, errNotOurs
	}
	return h, nil
}

// isThere tells whether all ways to it lead to the same directory, of our user.
func (h *heldDir) isThere() bool {
	named, err1 := os.Lstat(h.path)
	locked, err2 := h.lock.Stat()
	entered, err3 := h.root.Stat(".")
	if errors.Join(err1, err2, err3) != nil || !os.SameFile(named, locked) || !os.SameFile(named, entered) {
		return false
	}
	st, ok := named.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid() && named.IsDir()
}

// close lets others have it. Nil is none.
func (h *heldDir) close() {
	if h != nil {
		_, _ = h.root.Close(), h.lock.Close()
	}
}
