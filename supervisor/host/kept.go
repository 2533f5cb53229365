package host

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/broodctl/brood/internal/fdstore"
	"github.com/broodctl/brood/listener"
)

const (
	// recordName is what the description of the sockets is stored under.
	recordName = listener.StorePrefix + "record"
	// recordFiles is how many descriptors that is.
	recordFiles = 2
	// mostKept bounds what is stored: a process gets the names of all in one variable of its environment, which the kernel
	// takes up to 128 KiB.
	mostKept = 8192
	// lastUpdate is how long the end waits for the manager to have stored what there is.
	lastUpdate = 2 * time.Second
)

// kept has the service manager keep the sockets that brood opened itself, so that the next process of the service finds
// them with their queues, however this one ends. One goroutine does it: the loop only says that something has changed.
//
// The store has the sockets under names that say nothing, and a record that says what they are. Sockets are stored before
// the record has them, and leave the store before the record is written without them; what does not fit together after a
// death in between is dropped by listener.Reclaim.
type kept struct {
	set    *listener.Set
	store  *fdstore.Store
	record *fdstore.Record
	log    zerolog.Logger
	limit  func(ctx context.Context) (int, bool)

	news  chan struct{}      // of capacity 1
	flush chan chan struct{} // closed when the store is up to date
	quit  context.CancelFunc
	done  chan struct{} // nil while there is no goroutine

	stored atomic.Pointer[map[uint64]bool] // inodes of the sockets that the manager has for sure

	// These are the goroutine's, or whose who has ended it.
	names    map[item]string // what is stored, and under which name
	recorded bool            // the record is stored
	last     int             // of the numbers that are names
	room     int             // how many descriptors the store takes; at most mostKept
	asked    bool            // the manager has been asked how many
	sure     bool            // it has said so, or has given something back
	told     int             // how many were said to be needed
	unkept   []string        // names of listeners whose sockets are to end with this process
}

// item is an open file, whatever its number.
type item struct{ dev, inode uint64 }

// storeRecord is what the next process reads.
type storeRecord struct {
	Sockets listener.Handed `json:"sockets"`
}

func newKept(set *listener.Set, address string, log zerolog.Logger) (*kept, error) {
	store, err := fdstore.Open(address)
	if err != nil {
		return nil, err
	}
	return &kept{
		set: set, store: store, log: log, room: mostKept, names: map[item]string{},
		news: make(chan struct{}, 1), flush: make(chan chan struct{}),
	}, nil
}

// begin starts what keeps the store up to date.
func (k *kept) begin(limit func(ctx context.Context) (int, bool)) {
	if k == nil {
		return
	}
	k.vouch(true) // what was found there is there
	ctx, quit := context.WithCancel(context.Background())
	k.limit, k.quit, k.done = limit, quit, make(chan struct{})
	go func() {
		defer close(k.done)
		k.run(ctx)
	}()
	k.changed()
}

// changed says that a listener was opened or closed, grew, was adjusted or repaired. It never waits.
func (k *kept) changed() {
	if k == nil {
		return
	}
	select {
	case k.news <- struct{}{}:
	default:
	}
}

// settle waits until the store is up to date, but not for ever, so that an address is free whose socket was closed.
func (k *kept) settle() {
	if k.done == nil {
		k.refresh()
		return
	}
	settled := make(chan struct{})
	select {
	case k.flush <- settled:
		<-settled
	case <-k.done:
	case <-time.After(lastUpdate):
	}
}

func (k *kept) run(ctx context.Context) {
	if !k.asked {
		limit, known := k.limit(ctx)
		if known {
			k.room, k.sure = min(limit, mostKept), true
		}
		k.asked = ctx.Err() == nil
	}
	for {
		select {
		case <-k.news:
			k.refresh()
		case settled := <-k.flush:
			k.refresh()
			close(settled)
		case <-ctx.Done():
			return
		}
	}
}

// end brings the store up to date for the last time, and ends our part: what is stored lives on.
func (k *kept) end() {
	if k.done != nil {
		k.settle()
		k.quit()
		select {
		case <-k.done:
		case <-time.After(lastUpdate): // a manager that does not read must not hold us
			return
		}
	}
	if len(k.names) == 0 {
		_ = k.set.Close()
	}
	k.set.Leave(k.unkept...)
	k.store.Close()
	if k.record != nil {
		k.record.Close()
	}
}

// refresh brings the store up to date, and says what goes wrong.
func (k *kept) refresh() {
	err := k.update()
	if err != nil && !errors.Is(err, listener.ErrClosed) {
		k.log.Warn().Err(err).Msg("cannot keep sockets in the store of the service manager")
	}
	k.vouch(err == nil)
}

// vouch lets others know what the manager has.
func (k *kept) vouch(complete bool) {
	stored := map[uint64]bool{}
	for one := range k.names {
		stored[one.inode] = complete && k.sure
	}
	k.stored.Store(&stored)
}

// has reports whether the manager has a socket for sure. Anybody may ask.
func (k *kept) has(inode uint64) bool {
	stored := k.stored.Load()
	return stored != nil && (*stored)[inode]
}
