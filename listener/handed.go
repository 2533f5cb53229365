package listener

import (
	"net/netip"
)

// Handed is a Set as another process takes it over: see Set.Hand and Restore. It is plain values, for JSON; the
// descriptors are numbers of the process that has them.
type Handed struct {
	Listeners []HandedListener `json:"listeners,omitempty"`
	// Spare are the inherited sockets that no listener has taken.
	Spare []HandedSocket `json:"spare,omitempty"`
}

// HandedListener is one listener. Its sockets are those of Places if it is sharded, else Single, and those of Spare.
type HandedListener struct {
	Config  Config  `json:"config"`
	Tried   Mode    `json:"tried"` // what it was to become
	Mode    Mode    `json:"mode"`  // what it became
	Address Address `json:"address"`
	Slots   int     `json:"slots"`
	Paused  bool    `json:"paused,omitempty"`

	Single  *HandedSocket  `json:"single,omitempty"`
	Places  []HandedSocket `json:"places,omitempty"`
	Spare   []HandedSocket `json:"spare,omitempty"`
	Members []Member       `json:"members,omitempty"` // as last steered
	Known   []int          `json:"known,omitempty"`   // slots that own buckets
	File    *HandedFile    `json:"file,omitempty"`
	Relays  []HandedRelay  `json:"relays,omitempty"`

	Resteered uint64 `json:"resteered,omitempty"`
}

// HandedDescriptor is an open file: its number, and what it must turn out to be.
type HandedDescriptor struct {
	FD    int    `json:"fd"`
	Dev   uint64 `json:"dev"`
	Inode uint64 `json:"inode"`
}

// HandedSocket is a socket that connections come to.
type HandedSocket struct {
	HandedDescriptor
	Member                     // its place, if it has one
	Index     int              `json:"index"` // in the kernel's group; -1 if it is in none
	Backlog   int              `json:"backlog,omitempty"`
	Abandoned bool             `json:"abandoned,omitempty"`
	CPUs      []int            `json:"cpus,omitempty"`
	Knocks    []netip.AddrPort `json:"knocks,omitempty"`
	Passed    *HandedPassed    `json:"passed,omitempty"`
}

// HandedPassed tells that a socket is the service manager's.
type HandedPassed struct {
	Name    string `json:"name"`
	Given   string `json:"given"` // the name before it was told apart from others
	Backlog int    `json:"backlog,omitempty"`
}

// HandedFile is the file of a unix socket that we made, and the lock beside it.
type HandedFile struct {
	Path   string           `json:"path"`
	Dev    uint64           `json:"dev"`
	Inode  uint64           `json:"inode"`
	UID    int              `json:"uid"`
	GID    int              `json:"gid"`
	Hidden bool             `json:"hidden,omitempty"`
	Lock   HandedDescriptor `json:"lock"`
}

// HandedRelay is a connection that is being relayed, and which of its ways have ended.
type HandedRelay struct {
	Client   HandedDescriptor `json:"client"`
	Worker   HandedDescriptor `json:"worker"`
	UpDone   bool             `json:"up_done,omitempty"`   // the client has said all
	DownDone bool             `json:"down_done,omitempty"` // the worker has
}

// Descriptors are all numbers of descriptors, so that a caller can clear FD_CLOEXEC on each, or give each the number that
// it has in the other process.
func (h *Handed) Descriptors() []*int {
	var all []*int
	for _, d := range h.descriptors() {
		all = append(all, &d.FD)
	}
	return all
}

func (h *Handed) descriptors() []*HandedDescriptor {
	var all []*HandedDescriptor
	for i := range h.Listeners {
		all = append(all, h.Listeners[i].descriptors()...)
	}
	for i := range h.Spare {
		all = append(all, &h.Spare[i].HandedDescriptor)
	}
	return all
}

func (h *HandedListener) descriptors() []*HandedDescriptor {
	var all []*HandedDescriptor
	for _, s := range h.sockets() {
		all = append(all, &s.HandedDescriptor)
	}
	if h.File != nil {
		all = append(all, &h.File.Lock)
	}
	for i := range h.Relays {
		all = append(all, &h.Relays[i].Client, &h.Relays[i].Worker)
	}
	return all
}

func (h *HandedListener) sockets() []*HandedSocket {
	var all []*HandedSocket
	for i := range h.Places {
		all = append(all, &h.Places[i])
	}
	for i := range h.Spare {
		all = append(all, &h.Spare[i])
	}
	if h.Single != nil {
		all = append(all, h.Single)
	}
	return all
}

// Own are the descriptors that nobody else has: those of relays, and of sockets that the service manager has passed, are
// not among them.
func (h *HandedListener) Own() []HandedDescriptor {
	var all []HandedDescriptor
	for _, s := range h.sockets() {
		if s.Passed == nil {
			all = append(all, s.HandedDescriptor)
		}
	}
	if h.File != nil {
		all = append(all, h.File.Lock)
	}
	return all
}
