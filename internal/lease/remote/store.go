package remote

import (
	"context"
	"errors"
	"time"

	"github.com/broodctl/brood/internal/lease"
)

// ErrGone is a session that the store does not know, or not any more.
var ErrGone = errors.New("the session has ended")

// Store is what an engine needs. Its methods are called from any goroutine, and return soon after their context ends.
// What fails with another error than ErrGone may have been done or not, now or a little later.
type Store interface {
	// Grant begins a session of at least the given time.
	Grant(ctx context.Context, ttl time.Duration) (lease.SessionID, error)

	// KeepAlive gives the session its whole time again.
	KeepAlive(ctx context.Context, id lease.SessionID) error

	// Revoke ends the session, and what lives in it.
	Revoke(ctx context.Context, id lease.SessionID) error

	// Take claims a place for the session if nothing lives there and the fence of its mark is the expected one, 0 for
	// no mark. It returns the new entry and true, or what is there and false.
	Take(ctx context.Context, name string, expect uint64, claim Entry) (Entry, bool, error)

	// Note writes the value of a place if its mark still has the fence. It says whether it had.
	Note(ctx context.Context, name string, e Entry) (bool, error)

	// Drop removes mark and life of a place if the mark still has the fence.
	Drop(ctx context.Context, name string, place int, fence uint64) error

	// Look reads the entries of a range in their order, and the revision at which they were so.
	Look(ctx context.Context, name string, among lease.Range) ([]Entry, uint64, error)

	// Watch hands on what changes after a revision. The channel is closed when the context ends, or when the watch is
	// interrupted: then somebody has to look again.
	Watch(ctx context.Context, name string, among lease.Range, after uint64) <-chan Change

	// Memo reads words that belong to no session, and the revision at which they were so.
	Memo(ctx context.Context, name string) (lease.Memo, uint64, error)

	// SetMemo writes them if their revision is still that one. It returns the new one and true, or false.
	SetMemo(ctx context.Context, name, text string, since uint64) (uint64, bool, error)

	// MemoChanged returns a channel that is closed when they change after a revision of the store, when the context ends,
	// or when the watch is interrupted: then somebody has to read again.
	MemoChanged(ctx context.Context, name string, after uint64) <-chan struct{}

	// String names the store in errors.
	String() string

	Close() error
}

// Entry is what the store has about a place.
type Entry struct {
	Place   int
	Fence   uint64          // revision of the mark
	Session lease.SessionID // in which it was claimed
	Alive   bool            // whether the session lives
	Who     string
	Value   string
}

// Change is news about a place.
type Change struct {
	Kind  ChangeKind
	Place int
	Fence uint64 // of a place that was taken
}

// ChangeKind says what happened to a place.
type ChangeKind uint8

// What can happen to a place.
const (
	Taken ChangeKind = iota + 1
	Orphaned
	Freed
)
