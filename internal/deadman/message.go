package deadman

import (
	"encoding/binary"
	"errors"
	"time"
)

// Version is that of the messages. Whoever changes them counts it up: a process of another version is replaced after an upgrade.
const Version = 1

// Size is how long a message is.
const Size = 40

// Kind says what a message is about.
type Kind uint8

// What can be said. Bye is the same in all versions.
const (
	Bye      Kind = iota // to the process: it is not needed any more
	Deadline             // a session ends At, or later than was said before
	Watch                // a worker uses claims of Sessions; with descriptors, see Files
	Forget               // a worker is gone
	Killed               // from the process: the deadline of Session was over, and PID workers lived
	Blind                // from the process: the descriptors of the worker Token did not come through
)

// Files says which descriptors come with a Watch, in this order.
type Files uint8

// The descriptors of a worker.
const (
	WithProcess Files = 1 << iota // a pidfd of it
	WithGroup                     // the directory of its control group
)

// Sessions are those that a worker's claims are of; 0 is none.
type Sessions [2]int64

// Message is one of either direction.
type Message struct {
	Kind     Kind
	Files    Files
	PID      uint32 // of a worker, which leads its process group; or how many
	Token    uint64 // of a worker
	Sessions Sessions
	At       time.Duration // since the machine was started
}

var errMessage = errors.New("it is no message of this version")

// Encode writes a message.
func (m *Message) Encode() [Size]byte {
	var b [Size]byte
	b[0], b[1], b[2] = byte(m.Kind), Version, byte(m.Files)
	binary.LittleEndian.PutUint32(b[4:], m.PID)
	binary.LittleEndian.PutUint64(b[8:], m.Token)
	binary.LittleEndian.PutUint64(b[16:], uint64(m.Sessions[0]))
	binary.LittleEndian.PutUint64(b[24:], uint64(m.Sessions[1]))
	binary.LittleEndian.PutUint64(b[32:], uint64(m.At))
	return b
}

// Parse reads what Encode wrote.
func Parse(b []byte) (Message, error) {
	if len(b) > 0 && Kind(b[0]) == Bye {
		return Message{}, nil
	}
	if len(b) != Size || b[1] != Version || Kind(b[0]) > Blind || b[2] > byte(WithProcess|WithGroup) || b[3] != 0 {
		return Message{}, errMessage
	}
	return Message{
		Kind: Kind(b[0]), Files: Files(b[2]),
		PID: binary.LittleEndian.Uint32(b[4:]), Token: binary.LittleEndian.Uint64(b[8:]),
		Sessions: Sessions{int64(binary.LittleEndian.Uint64(b[16:])), int64(binary.LittleEndian.Uint64(b[24:]))},
		At:       time.Duration(binary.LittleEndian.Uint64(b[32:])),
	}, nil
}
