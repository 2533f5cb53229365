package host

import (
	"context"

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
func (k *kept) Hand() (data any, descriptors []int, err error) {
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
