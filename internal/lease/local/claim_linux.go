package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/lease"
)

// claim is a description of the file with a read lock on the byte of the place.
type claim struct {
	engine *Engine
	file   *file
	name   string
	place  int
	fence  uint64
	ro     *os.File
	lost   chan struct{} // never closed
}

var _ lease.Claim = (*claim)(nil)

// claim takes a place. The engine is locked.
func (e *Engine) claim(f *file, name string, place int) (lease.Claim, error) {
	cannot := func(err error) error { return fmt.Errorf("cannot claim place %d of %s: %w", place, name, err) }
	switch err := lock(f.fd(), unix.F_WRLCK, place); {
	case errors.Is(err, unix.EAGAIN):
		h, err := f.holder(place)
		if err != nil {
			return nil, cannot(err)
		}
		return nil, &lease.TakenError{Name: name, Holder: h}
	case err != nil:
		return nil, cannot(fmt.Errorf("%s cannot be locked: %w", f.path, err))
	}
	c, err := e.take(f, name, place)
	// The claim's own description has the place now, or nobody.
	if err := errors.Join(err, lock(f.fd(), unix.F_UNLCK, place)); err != nil {
		return nil, cannot(errors.Join(err, f.ring())) // somebody may have seen it taken
	}
	f.claims[c] = struct{}{}
	return c, nil
}

// take makes the claim of a place that the file's own description has locked for writing.
func (e *Engine) take(f *file, name string, place int) (*claim, error) {
	if err := f.inPlace(); err != nil {
		return nil, err // somebody replaced it since it was opened: others look for the lock elsewhere
	}
	was, err := f.read(place)
	if err != nil {
		return nil, err
	}
	if was.fence == 0 {
		was.fence = uint64(time.Now().UnixMicro())
	}
	now := record{fence: was.fence + 1, who: e.cfg.Who}
	if err := f.write(place, now); err != nil {
		return nil, err
	}
	fd, err := unix.Open(f.path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: f.path, Err: err}
	}
	c := &claim{engine: e, file: f, name: name, place: place, fence: now.fence, ro: os.NewFile(uintptr(fd), f.path), lost: make(chan struct{})}
	err = sameFile(f.fd(), f.path)
	if err == nil {
		err = lock(f.fd(), unix.F_RDLCK, place)
	}
	if err == nil {
		err = lock(fd, unix.F_RDLCK, place)
	}
	if err != nil {
		return nil, errors.Join(err, c.ro.Close())
	}
	return c, nil
}

// Adopt goes on with a claim by its descriptor.
func (e *Engine) Adopt(ctx context.Context, saved lease.Saved, ro *os.File) (lease.Claim, error) {
	cannot := func(err error) error {
		return fmt.Errorf("cannot adopt place %d of %s: %w", saved.Place, saved.Name, err)
	}
	if ro == nil {
		return nil, cannot(errors.New("without the descriptor that holds it"))
	}
	f, err := e.use(ctx, saved.Name, lease.Only(saved.Place))
	if err != nil {
		return nil, cannot(err)
	}
	defer e.mu.Unlock()
	fd := int(ro.Fd())
	if err := sameFile(fd, f.path); err != nil {
		return nil, cannot(err)
	}
	// The description has the lock already: this proves only that nobody else has it for writing.
	switch err := lock(fd, unix.F_RDLCK, saved.Place); {
	case errors.Is(err, unix.EAGAIN):
		return nil, cannot(lease.ErrLost)
	case err != nil:
		return nil, cannot(err)
	}
	now, err := f.read(saved.Place)
	if err == nil && now.fence != saved.Fence {
		err = errors.Join(fmt.Errorf("%w: its fence is %d, and the last one given was %d", lease.ErrLost, saved.Fence, now.fence), lock(fd, unix.F_UNLCK, saved.Place))
	}
	if err != nil {
		return nil, cannot(err)
	}
	unix.CloseOnExec(fd)
	c := &claim{engine: e, file: f, name: saved.Name, place: saved.Place, fence: saved.Fence, ro: ro, lost: make(chan struct{})}
	f.claims[c] = struct{}{}
	return c, nil
}

func (c *claim) Name() string          { return c.name }
func (c *claim) Place() int            { return c.place }
func (c *claim) Fence() uint64         { return c.fence }
func (c *claim) Lost() <-chan struct{} { return c.lost }
func (c *claim) File() *os.File        { return c.ro }
func (c *claim) Saved() lease.Saved {
	return lease.Saved{Name: c.name, Place: c.place, Fence: c.fence}
}

// SetValue writes into the record, which is the holder's.
func (c *claim) SetValue(ctx context.Context, value string) error {
	err := errors.Join(ctx.Err(), lease.CheckWords("", value))
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	if err == nil {
		err = c.held()
	}
	if err == nil {
		err = c.file.write(c.place, record{fence: c.fence, who: c.engine.cfg.Who, value: value})
	}
	if err != nil {
		return fmt.Errorf("cannot set the value of place %d of %s: %w", c.place, c.name, err)
	}
	return nil
}

// held: the engine is locked.
func (c *claim) held() error {
	if c.engine.closing.Err() != nil {
		return lease.ErrClosed
	}
	if _, held := c.file.claims[c]; !held {
		return errors.New("it was released")
	}
	return nil
}

// Release unlocks the byte, also for those who inherited the descriptor. Once more it does nothing.
func (c *claim) Release(context.Context) error {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	if c.held() != nil {
		return nil
	}
	delete(c.file.claims, c)
	// The words go first, while the record is still ours. Without them the place is free all the same.
	words := c.file.write(c.place, record{fence: c.fence})
	unlocked := lock(int(c.ro.Fd()), unix.F_UNLCK, c.place)
	if err := errors.Join(words, unlocked, c.ro.Close(), c.file.ring()); err != nil {
		return fmt.Errorf("cannot release place %d of %s: %w", c.place, c.name, err)
	}
	return nil
}
