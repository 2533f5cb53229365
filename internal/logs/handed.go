package logs

import (
	"slices"
	"time"
)

// Handed is what one Mux leaves to the next one, which goes on in the same process with another program; see [Mux.Freeze]
// and [Restore]. It is made for encoding/json. Numbers of descriptors are those of the process that made it.
type Handed struct {
	LastHandle int             `json:"last_handle"`
	Lost       uint64          `json:"lost"`
	Width      int             `json:"width"`
	Slots      []HandedSlot    `json:"slots"`
	Streams    []HandedStream  `json:"streams"`
	Queues     []HandedQueue   `json:"queues"`
	Troubles   []HandedTrouble `json:"troubles"`
	// Blob has all bytes of workers, which JSON would make a third larger. It goes beside the JSON.
	Blob []byte `json:"-"`
}

// Piece is a part of the blob.
type Piece struct {
	At   int `json:"at"`
	Size int `json:"size"`
}

// HandedSlot is what was counted of a slot, and what is kept of its workers that are gone.
type HandedSlot struct {
	Pool    string       `json:"pool"`
	Slot    int          `json:"slot"`
	Read    [2]uint64    `json:"read"`    // lines, bytes
	Dropped [2]uint64    `json:"dropped"` // the same
	Past    []HandedKept `json:"past"`
}

// HandedKept is what is kept of one worker. Its positions stay what they were.
type HandedKept struct {
	Handle   int       `json:"handle"`
	WorkerID int       `json:"worker_id"`
	PID      int       `json:"pid"`
	Gone     time.Time `json:"gone,omitzero"`
	Start    uint64    `json:"start"`
	Before   uint64    `json:"before"`
	Total    uint64    `json:"total"`
	Midline  [2]bool   `json:"midline"`
	Records  Piece     `json:"records"`
}

// HandedStream is that of a worker that runs on.
type HandedStream struct {
	Pool     string     `json:"pool"`
	Slot     int        `json:"slot"`
	Settings Settings   `json:"settings"`
	Kept     HandedKept `json:"kept"`
	Stdout   HandedLane `json:"stdout"`
	Stderr   HandedLane `json:"stderr"`
}

// HandedLane is one pipe of a worker.
type HandedLane struct {
	FD        int   `json:"fd"` // -1 if it has ended
	Partial   Piece `json:"partial"`
	Tail      Piece `json:"tail"`
	TailBegun bool  `json:"tail_begun"`
	Raw       uint8 `json:"raw"`
}

// HandedQueue is what a destination has not taken yet.
type HandedQueue struct {
	To     string        `json:"to"` // stdout, stderr, journald, file
	Bytes  Piece         `json:"bytes"`
	Shares []HandedShare `json:"shares"`
	Within bool          `json:"within"` // of our own descriptors: the last byte that went did not end its line
	Torn   bool          `json:"torn"`   // and the rest of that line is lost
	File   *HandedFile   `json:"file,omitempty"`
}

// HandedShare is how many bytes in a row are of one slot.
type HandedShare struct {
	Slot int `json:"slot"` // index in Slots; -1 is our own log
	Size int `json:"size"`
}

// HandedFile is an open log file.
type HandedFile struct {
	FD     int          `json:"fd"` // -1 if it is not open
	Path   string       `json:"path"`
	Pool   string       `json:"pool"`
	Set    FileSettings `json:"set"`
	Born   time.Time    `json:"born"`
	Second string       `json:"second"` // of the file that was full last
	Number int          `json:"number"` // of the next one in that second
}

// HandedTrouble is one that has not ended.
type HandedTrouble struct {
	Pool    string    `json:"pool"`
	Keeping bool      `json:"keeping"`
	Key     string    `json:"key"`
	Where   string    `json:"where"`
	Err     string    `json:"err"`
	Lines   uint64    `json:"lines"`
	Bytes   uint64    `json:"bytes"`
	Stuck   []string  `json:"stuck"`
	Said    time.Time `json:"said"`
	Lost    uint64    `json:"lost"`
	Told    uint64    `json:"told"`
}

// The destinations of queues.
const (
	toStdout   = "stdout"
	toStderr   = "stderr"
	toJournald = "journald"
	toFile     = "file"
)

// Descriptors are all that the next program must have, so that they can be marked as inherited, or be given other numbers.
func (h *Handed) Descriptors() []*int {
	var all []*int
	for i := range h.Streams {
		all = append(all, &h.Streams[i].Stdout.FD, &h.Streams[i].Stderr.FD)
	}
	for _, q := range h.Queues {
		if q.File != nil {
			all = append(all, &q.File.FD)
		}
	}
	return slices.DeleteFunc(all, func(fd *int) bool { return *fd < 0 })
}

// bytes are those of a piece, which [Handed.Check] has looked at.
func (h *Handed) bytes(p Piece) []byte { return h.Blob[p.At : p.At+p.Size] }
