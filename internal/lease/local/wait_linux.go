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

// The kernel tells of a close before it drops the lock, within one system call: after such news we look again, soon and
// then later and later.
const (
	firstLook = time.Millisecond
	lastLook  = 512 * time.Millisecond
)

// Wait returns when nobody has a lock on some place of the range.
func (e *Engine) Wait(ctx context.Context, name string, among lease.Range) error {
	cannot := func(err error) error { return fmt.Errorf("cannot wait for %v of %s: %w", among, name, err) }
	for {
		f, w, err := e.watch(ctx, name, among)
		if err == nil {
			err = e.await(ctx, f, w, name, among)
			w.Close()
		}
		switch {
		case errors.Is(err, errReplaced): // and listens to the file that is there now
		case err != nil:
			return cannot(err)
		default:
			return nil
		}
	}
}

var errReplaced = errors.New("the file is another one")

// watch begins to listen before the first look, so that nothing happens in between unheard.
func (e *Engine) watch(ctx context.Context, name string, among lease.Range) (*file, *os.File, error) {
	f, err := e.use(ctx, name, among)
	if err != nil {
		return nil, nil, err
	}
	defer e.mu.Unlock()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot watch %s: %w", f.path, err)
	}
	w := os.NewFile(uintptr(fd), "inotify")
	switch _, err := unix.InotifyAddWatch(fd, f.path, unix.IN_MODIFY|unix.IN_CLOSE|unix.IN_MOVE_SELF|unix.IN_ATTRIB); {
	case errors.Is(err, unix.ENOENT):
		return nil, nil, errors.Join(errReplaced, w.Close())
	case err != nil:
		return nil, nil, errors.Join(fmt.Errorf("cannot watch %s: %w", f.path, err), w.Close())
	}
	return f, w, nil
}

func (e *Engine) await(ctx context.Context, f *file, w *os.File, name string, among lease.Range) error {
	past := func() { _ = w.SetReadDeadline(time.Unix(1, 0)) } // of a closed one nobody reads
	defer context.AfterFunc(ctx, past)()
	defer context.AfterFunc(e.closing, past)()
	news := make([]byte, 64*(unix.SizeofInotifyEvent+unix.NAME_MAX+1))
	for next := lastLook; ; next *= 2 {
		if free, err := e.anyFree(ctx, f, name, among); err != nil || free {
			return err
		}
		var until time.Time // without news nobody looks
		if next < lastLook {
			until = time.Now().Add(next)
		}
		if err := w.SetReadDeadline(until); err != nil {
			return err
		}
		// Between the deadline of the context and ours only the order of these two lines is certain.
		if err := errors.Join(ctx.Err(), e.closed()); err != nil {
			return err
		}
		switch _, err := w.Read(news); {
		case err == nil:
			next = firstLook / 2
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		}
	}
}

func (e *Engine) closed() error {
	if e.closing.Err() != nil {
		return lease.ErrClosed
	}
	return nil
}

func (e *Engine) anyFree(ctx context.Context, f *file, name string, among lease.Range) (bool, error) {
	now, err := e.use(ctx, name, among)
	if err != nil {
		return false, err
	}
	defer e.mu.Unlock()
	if now != f {
		return false, errReplaced
	}
	for place := among.First; place <= among.Last; place++ {
		if free, err := f.free(place); err != nil || free {
			return free, err
		}
	}
	return false, nil
}
