package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/lease"
)

// A memo is a file of its own: a line that says what it is, a line with the revision, and the text. Whoever writes it
// holds place 0 of memoPlace, whose fence is the next revision, and puts another file in its place.
const (
	memoMagic = "memo of brood, version 1"
	memoPlace = ".memo"
)

// Memo reads the file.
func (e *Engine) Memo(ctx context.Context, name string) (lease.Memo, error) {
	err := errors.Join(ctx.Err(), lease.CheckMemo(name, ""))
	if err == nil {
		err = e.closed()
	}
	var m lease.Memo
	if err == nil {
		m, err = readMemo(e.memoPath(name))
	}
	if err != nil {
		return lease.Memo{}, fmt.Errorf("cannot read the memo %s: %w", name, err)
	}
	return m, nil
}

func (e *Engine) memoPath(name string) string { return filepath.Join(e.cfg.Dir, name+memoPlace) }

func readMemo(path string) (lease.Memo, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return lease.Memo{}, nil
	}
	if err != nil {
		return lease.Memo{}, err
	}
	lines := strings.SplitN(string(b), "\n", 3)
	if len(lines) < 3 || lines[0] != memoMagic {
		return lease.Memo{}, fmt.Errorf("%s does not begin with %q: it is something else, or of another version", path, memoMagic)
	}
	revision, err := strconv.ParseUint(lines[1], 10, 64)
	if err != nil {
		return lease.Memo{}, fmt.Errorf("%s has the revision %q", path, lines[1])
	}
	return lease.Memo{Text: lines[2], Revision: revision}, nil
}

// SetMemo waits for others who write it, of whom none is left when they are killed.
func (e *Engine) SetMemo(ctx context.Context, name, text string, since uint64) (lease.Memo, error) {
	m := lease.Memo{Text: text}
	err := lease.CheckMemo(name, text)
	if err == nil {
		m.Revision, err = e.setMemo(ctx, name, m.Text, since)
	}
	if err != nil {
		return lease.Memo{}, fmt.Errorf("cannot write the memo %s: %w", name, err)
	}
	return m, nil
}

func (e *Engine) setMemo(ctx context.Context, name, text string, since uint64) (revision uint64, err error) {
	turn, err := lease.Acquire(ctx, e, name+memoPlace, lease.Only(0))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, turn.Release(ctx)) }()
	path := e.memoPath(name)
	now, err := readMemo(path)
	if err != nil {
		return 0, err
	}
	if now.Revision != since {
		return 0, lease.ErrChanged
	}
	revision = max(turn.Fence(), now.Revision+1)
	return revision, replaceFile(path, fmt.Sprintf("%s\n%d\n%s", memoMagic, revision, text))
}

// replaceFile has the old content or the new one, also after a crash of the machine.
func replaceFile(path, content string) error {
	next := path + ".next"
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(next, path)
}

// AwaitMemo hears of files that are put in place in the directory.
func (e *Engine) AwaitMemo(ctx context.Context, name string, since uint64) (lease.Memo, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return lease.Memo{}, fmt.Errorf("cannot wait for the memo %s: %w", name, err)
	}
	w := os.NewFile(uintptr(fd), "inotify")
	defer w.Close()
	past := func() { _ = w.SetReadDeadline(time.Unix(1, 0)) } // of a closed one nobody reads
	defer context.AfterFunc(ctx, past)()
	defer context.AfterFunc(e.closing, past)()
	news := make([]byte, 64*(unix.SizeofInotifyEvent+unix.NAME_MAX+1))
	for {
		// Again each time: the directory may be another one.
		_, err := unix.InotifyAddWatch(fd, e.cfg.Dir, unix.IN_MOVED_TO|unix.IN_MOVED_FROM|unix.IN_DELETE|unix.IN_MOVE_SELF|unix.IN_DELETE_SELF|unix.IN_ONLYDIR)
		if err != nil {
			return lease.Memo{}, fmt.Errorf("cannot wait for the memo %s: cannot watch %s: %w", name, e.cfg.Dir, err)
		}
		m, err := e.Memo(ctx, name)
		if err != nil || m.Revision != since {
			return m, err
		}
		if _, err := w.Read(news); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return lease.Memo{}, fmt.Errorf("cannot wait for the memo %s: %w", name, err)
		}
	}
}
