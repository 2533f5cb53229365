package host

import (
	"context"
	"os"

	"github.com/broodctl/brood/internal/fdstore"
)

// storeHanded is what the next program of an upgrade has to know of the store.
type storeHanded struct {
	Stored []storedItem `json:"stored,omitempty"`
	Last   int          `json:"last"`
	Room   int          `json:"room"`
	Asked  bool         `json:"asked,omitempty"`
	Sure   bool         `json:"sure,omitempty"`
	Record []int        `json:"record,omitempty"` // descriptors
}

// storedItem is something that is stored.
type storedItem struct {
	Dev   uint64 `json:"dev"`
	Inode uint64 `json:"inode"`
	Name  string `json:"name"`
}

// Pause brings the store up to date, and lets it be.
func (k *kept) Pause(ctx context.Context) {
	if k.done == nil {
		return
	}
	k.settle()
	k.quit()
	select {
	case <-k.done:
	case <-ctx.Done():
	}
}

// Resume goes on.
func (k *kept) Resume() {
	if k.done != nil {
		k.begin(k.limit)
	}
}

// Hand describes the store. Its record stays where it is.
func (k *kept) Hand(context.Context, func(string) bool) (data any, descriptors []int, err error) {
	h := storeHanded{Last: k.last, Room: k.room, Asked: k.asked, Sure: k.sure}
	for one, name := range k.names {
		h.Stored = append(h.Stored, storedItem{Dev: one.dev, Inode: one.inode, Name: name})
	}
	if k.record != nil {
		h.Record = k.record.FDs()
	}
	return h, h.Record, nil
}

// restore goes on with what the program before had stored.
func (k *kept) restore(h storeHanded) {
	k.last, k.room, k.asked, k.sure = h.Last, h.Room, h.Asked, h.Sure
	for _, one := range h.Stored {
		k.names[item{one.Dev, one.Inode}] = one.Name
	}
	if len(h.Record) == 0 {
		return
	}
	record, _, err := fdstore.OpenRecord(h.Record)
	if err != nil {
		k.names[item{}] = recordName // it makes room for another
		return
	}
	k.record, k.recorded = record, true
}

// Settle has nothing to close.
func (k *kept) Settle() {}

// partStore is the name of the store among the parts.
const partStore = "store"

// inheritStore goes on with the store of the program before.
func (h *Host) inheritStore() error {
	var left storeHanded
	was, err := h.Handed(partStore, &left)
	if !was || err != nil {
		return err
	}
	if k := h.newStore(); k != nil {
		k.restore(left)
		h.useStore(k)
	}
	return nil
}

// newStore is that of the service manager; nil if there is none.
func (h *Host) newStore() *kept {
	address := os.Getenv("NOTIFY_SOCKET")
	if address == "" {
		return nil
	}
	k, err := newKept(h.sockets, address, h.log)
	if err != nil {
		h.log.Debug().Err(err).Msg("there is no store of the service manager")
		return nil
	}
	return k
}

func (h *Host) useStore(k *kept) {
	h.kept.Store(k)
	h.Keep(partStore, k)
}
