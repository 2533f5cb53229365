package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/broodctl/brood/internal/fdstore"
	"github.com/broodctl/brood/listener"
	"github.com/broodctl/brood/worker"
)

// askTime bounds the question how much the service manager stores.
const askTime = 10 * time.Second

// claimSockets takes the sockets that the service manager passes, and those that a process before us has left with it.
func (h *Host) claimSockets() error {
	inherited, err := listener.FromSystemd(os.Getenv, os.Getpid())
	if err != nil {
		return err
	}
	stored, err := listener.StoredBySystemd(os.Getenv, os.Getpid())
	if err != nil {
		return err
	}
	store := readStore(stored)
	h.sockets, err = listener.Reclaim(store.left, store.files, inherited, listener.Options{Poller: h.poller, Report: h.report})
	if err != nil {
		return err
	}
	h.atClose(h.closeSockets)
	h.openStore(store)
	return nil
}

// found is what the store had for us.
type found struct {
	record *fdstore.Record // nil if there is none
	files  []int
	names  map[item]string
	last   int // of the numbers that are names
	left   listener.Handed
}

// readStore tells the record from the other descriptors, and reads it. One that says nothing leaves nothing to be had.
func readStore(stored []listener.Inherited) found {
	f := found{names: map[item]string{}}
	var halves []int
	for _, in := range stored {
		if in.Name == recordName {
			halves = append(halves, in.FD)
			continue
		}
		f.files = append(f.files, in.FD)
		if file, err := fdstore.FileOf(in.FD); err == nil {
			f.names[item{file.Dev, file.Inode}] = in.Name
		}
		f.last = max(f.last, numberOf(in.Name))
	}
	record, text, err := fdstore.OpenRecord(halves)
	if err != nil {
		for _, fd := range halves {
			_ = syscall.Close(fd)
			f.names[item{inode: uint64(fd)}] = recordName // to be removed: it is in the way of another
		}
		return f
	}
	f.record = record
	var read storeRecord
	if json.Unmarshal(text, &read) == nil { // or it is of a version to come
		f.left = read.Sockets
	}
	return f
}

// openStore prepares the store, if there is a service manager.
func (h *Host) openStore(f found) {
	k := h.newStore()
	if k == nil {
		return
	}
	k.names, k.last, k.record, k.recorded, k.sure = f.names, f.last, f.record, f.record != nil, f.record != nil
	h.useStore(k)
}

// closeUnclaimed closes what was left of a process before us that nobody wants any more.
func (h *Host) closeUnclaimed() {
	for _, l := range h.sockets.Unclaimed() {
		waiting, _ := l.Queued() // of those that tell
		err := l.Close()
		h.log.Warn().Err(err).Str("listener", l.Name()).Int("count", waiting).
			Msg("a listener that was kept is used by no pool any more, and is closed")
	}
}

// closeSockets ends what nobody keeps.
func (h *Host) closeSockets() {
	if k := h.kept.Load(); k != nil {
		k.end()
		return
	}
	_ = h.sockets.Close()
}

// storeLimit asks how many descriptors the service manager stores for us.
func (h *Host) storeLimit(ctx context.Context) (limit int, known bool) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	cgroup, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0, false
	}
	return fdstore.Limit(ctx, os.Getenv("FDSTORE"), string(cgroup), h.hear)
}

// hear runs a command as this process would, and returns what it writes. It writes less than a pipe holds.
func (h *Host) hear(ctx context.Context, argv ...string) (string, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return "", fmt.Errorf("cannot make pipe: %w", err)
	}
	defer func() { _ = r.Close() }()
	err = h.world.Run(ctx, worker.Command{
		Argv: argv, Env: worker.CleanEnviron(os.Environ()), Stdin: worker.DevNull, Stdout: int(w.Fd()), Stderr: worker.DevNull,
	}, argv[0])
	_ = w.Close()
	said, failed := io.ReadAll(r)
	return string(said), errors.Join(err, failed)
}
