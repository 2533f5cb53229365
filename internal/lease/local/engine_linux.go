package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/lease"
)

// Config is where the places are kept and by whom.
type Config struct {
	Dir string // is made where it is missing
	Who string // for people: host, supervisor, process
}

// Engine is a [lease.Engine] of one machine.
type Engine struct {
	cfg Config

	closing context.Context // ends with the engine
	end     context.CancelFunc

	mu    sync.Mutex
	files map[string]*file // by name
}

var _ lease.Engine = (*Engine)(nil)

// New looks at the directory, and keeps no descriptor before something is claimed.
func New(cfg Config) (*Engine, error) {
	if err := lease.CheckWords(cfg.Who, ""); err != nil {
		return nil, err
	}
	if err := checkDir(cfg.Dir); err != nil {
		return nil, fmt.Errorf("cannot keep places in %s: %w", cfg.Dir, err)
	}
	ctx, end := context.WithCancel(context.Background())
	return &Engine{cfg: cfg, closing: ctx, end: end, files: map[string]*file{}}, nil
}

func checkDir(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	var at unix.Stat_t
	if err := unix.Stat(dir, &at); err != nil {
		return err
	}
	if at.Mode&unix.S_IWOTH != 0 && at.Mode&unix.S_ISVTX == 0 {
		return fmt.Errorf("everybody may remove files in it (mode %04o)", at.Mode&0o7777)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return err
	}
	// The types are of different widths on different machines; as 32 bits they are the kernel's magic numbers.
	switch uint32(fs.Type) {
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.AFS_SUPER_MAGIC, unix.CEPH_SUPER_MAGIC, unix.V9FS_MAGIC:
		return errors.New("it is on a network file system: locks there are not of this machine; use a directory below /run")
	}
	return nil
}

// Session has no deadline: nobody takes a place away from a living process.
func (e *Engine) Session() lease.Session { return lease.Session{Deadline: lease.Never} }

// Claim takes a place.
func (e *Engine) Claim(ctx context.Context, name string, place int) (lease.Claim, error) {
	f, err := e.use(ctx, name, lease.Only(place))
	if err != nil {
		return nil, fmt.Errorf("cannot claim place %d of %s: %w", place, name, err)
	}
	defer e.mu.Unlock()
	return e.claim(f, name, place)
}

// ClaimAny takes a preferred place, or else the lowest that is free: on one machine there is nobody to get in the way of.
func (e *Engine) ClaimAny(ctx context.Context, name string, among lease.Range, prefer ...int) (lease.Claim, error) {
	f, err := e.use(ctx, name, among)
	if err != nil {
		return nil, fmt.Errorf("cannot claim one of %v of %s: %w", among, name, err)
	}
	defer e.mu.Unlock()
	for _, place := range prefer {
		if !among.Contains(place) {
			continue
		}
		if c, err := e.claim(f, name, place); !errors.Is(err, lease.ErrTaken) {
			return c, err
		}
	}
	for place := among.First; place <= among.Last; place++ {
		if c, err := e.claim(f, name, place); !errors.Is(err, lease.ErrTaken) {
			return c, err
		}
	}
	return nil, fmt.Errorf("cannot claim one of %v of %s: %w (in %s)", among, name, lease.ErrFull, f.path)
}

// use gives the file of a name, and locks the engine unless there is an error.
func (e *Engine) use(ctx context.Context, name string, among lease.Range) (*file, error) {
	if err := lease.Check(name, among); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	f, err := e.file(name)
	if err != nil {
		e.mu.Unlock()
	}
	return f, err
}

// file is that of a name, opened again if somebody removed it and nothing is held in it.
func (e *Engine) file(name string) (*file, error) {
	if e.closing.Err() != nil {
		return nil, lease.ErrClosed
	}
	path := filepath.Join(e.cfg.Dir, name+".places")
	f := e.files[name]
	if f != nil {
		err := f.inPlace()
		if err == nil {
			return f, nil
		}
		if len(f.claims) > 0 {
			return nil, fmt.Errorf("%w, and %d places in it are held", err, len(f.claims))
		}
		delete(e.files, name)
		if err := f.rw.Close(); err != nil {
			return nil, err
		}
	}
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	e.files[name] = f
	return f, nil
}

// Holders are those of the places that are locked.
func (e *Engine) Holders(ctx context.Context, name string) ([]lease.Holder, error) {
	f, err := e.use(ctx, name, lease.Only(0))
	if err != nil {
		return nil, fmt.Errorf("cannot list the holders of %s: %w", name, err)
	}
	defer e.mu.Unlock()
	var held []lease.Holder
	n, err := f.places()
	for place := 0; place < n && err == nil; place++ {
		var free bool
		if free, err = f.free(place); err == nil && !free {
			var h lease.Holder
			h, err = f.holder(place)
			held = append(held, h)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list the holders of %s: %w", name, err)
	}
	return held, nil
}

// Close closes what is held in this process, and ends who waits.
func (e *Engine) Close() error {
	e.end()
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	for name, f := range e.files {
		for c := range f.claims {
			errs = append(errs, c.ro.Close())
		}
		errs = append(errs, f.rw.Close())
		delete(e.files, name)
	}
	return errors.Join(errs...)
}
