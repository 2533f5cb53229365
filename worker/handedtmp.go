package worker

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"syscall"
)

// HandedTmpDirs are the directories for temporary files as the program that replaces this one has to know them.
type HandedTmpDirs struct {
	Bases   []HandedTmpBase
	Serial  uint64
	Cleared bool
	// Leaving are those whose removal is not over.
	Leaving []HandedTmpDir
}

// HandedTmpBase is a directory that those of workers are in.
type HandedTmpBase struct {
	Path string
	Lock int  // descriptor of the directory, which is locked; -1 if it was not made yet
	Next bool // the next worker's is in it
}

// HandedTmpDir is the directory of one worker.
type HandedTmpDir struct {
	Base, Name string
}

// Descriptors are those that the next program has to inherit.
func (h *HandedTmpDirs) Descriptors() []*int {
	var all []*int
	for i := range h.Bases {
		if b := &h.Bases[i]; b.Lock >= 0 {
			all = append(all, &b.Lock)
		}
	}
	return all
}

// Descriptors are none: they are those of HandedTmpDirs.
func (h *HandedTmpDir) Descriptors() []*int { return nil }

// Hand describes the directories to the program that replaces this one, while no process is started with one of them.
// Close must not be called then. Those that workers have are handed one by one.
func (t *TmpDirs) Hand() HandedTmpDirs {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := HandedTmpDirs{Serial: t.serial, Cleared: t.clearing == cleared}
	for _, base := range t.bases {
		h.Bases = append(h.Bases, HandedTmpBase{Path: base.path, Lock: base.lockFD(), Next: base == t.base})
	}
	for d := range t.leaving {
		h.Leaving = append(h.Leaving, d.Hand())
	}
	return h
}

// lockFD is the descriptor whose lock keeps the base; -1 if it is not there.
func (b *tmpBase) lockFD() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held == nil || !b.held.isThere() {
		return -1
	}
	return int(b.held.lock.Fd())
}

// Hand describes the directory.
func (d *TmpDir) Hand() HandedTmpDir { return HandedTmpDir{Base: d.base.path, Name: d.name} }

var (
	errNotThatLock = errors.New("the descriptor handed for it is not its lock")
	errNoSuchBase  = errors.New("what it is in was not handed")
)

// AdoptTmpDirs are the directories of the program that this one has replaced: as NewTmpDirs, but those of before are kept
// locked, and there until Settle. The descriptors that were handed stay open until then: who cannot go on can give them back.
func AdoptTmpDirs(name string, h HandedTmpDirs, report func(error)) (*TmpDirs, error) {
	t := NewTmpDirs(name, report)
	t.serial, t.unsettled = h.Serial, h.Leaving
	if h.Cleared {
		t.clearing = cleared
	}
	for _, b := range h.Bases {
		if err := t.adoptBase(b); err != nil {
			for _, base := range t.bases {
				base.held.close()
			}
			return nil, fmt.Errorf("cannot adopt temporary files %s: %w", b.Path, err)
		}
	}
	return t, nil
}

func (t *TmpDirs) adoptBase(b HandedTmpBase) error {
	base := &tmpBase{path: b.Path, users: 1} // until Settle
	if b.Lock >= 0 {
		held, err := holdAgain(b.Path, b.Lock)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // or its last removal was over in the last moment
			return err
		}
		base.held = held
		t.handed = append(t.handed, b.Lock)
	}
	t.bases[b.Path] = base
	if b.Next {
		t.base = base
	}
	return nil
}

// Settle ends the adoption: removals that were not over go on, and what nobody has adopted a directory in is removed.
func (t *TmpDirs) Settle() {
	for _, h := range t.unsettled {
		if d, err := t.Adopt(h); err == nil {
			d.Remove()
		}
	}
	for _, fd := range t.handed {
		_ = syscall.Close(fd) // we have copies
	}
	t.unsettled, t.handed = nil, nil
	t.mu.Lock()
	bases := slices.Collect(maps.Values(t.bases))
	t.mu.Unlock()
	for _, base := range bases {
		t.release(base)
	}
}

// Adopt takes over the directory of a worker that runs on, before Settle. The caller calls Remove, as for every other.
func (t *TmpDirs) Adopt(h HandedTmpDir) (*TmpDir, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	base := t.bases[h.Base]
	d := &TmpDir{dirs: t, base: base, name: h.Name}
	var err error
	switch {
	case base == nil:
		err = errNoSuchBase
	case h.Name == "." || h.Name != filepath.Base(h.Name) || !filepath.IsLocal(h.Name):
		err = syscall.EINVAL
	}
	if err != nil {
		return nil, fmt.Errorf("cannot adopt temporary files %s: %w", filepath.Join(h.Base, h.Name), err)
	}
	base.users++
	return d, nil
}
