package local

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/broodctl/brood/internal/lease"
)

// record is what the file says of a place: the fence, and the words of its holder.
//
//	0    8   the fence
//	8    2   length of who
//	10   2   length of the value
//	12  128  who
//	140 256  the value
type record struct {
	fence      uint64
	who, value string
}

const (
	whoAt   = 12
	valueAt = whoAt + lease.MaxWho
)

func (f *file) read(place int) (record, error) {
	b := make([]byte, recordSize)
	if _, err := f.rw.ReadAt(b, headerSize+int64(place)*recordSize); err != nil && !errors.Is(err, io.EOF) {
		return record{}, fmt.Errorf("cannot read what place %d is: %w", place, err)
	}
	// A holder that writes while we read, or a torn write of one that was killed, must not be more than a wrong word.
	who := min(int(binary.BigEndian.Uint16(b[8:])), lease.MaxWho)
	value := min(int(binary.BigEndian.Uint16(b[10:])), lease.MaxValue)
	return record{fence: binary.BigEndian.Uint64(b), who: string(b[whoAt : whoAt+who]), value: string(b[valueAt : valueAt+value])}, nil
}

func (f *file) write(place int, r record) error {
	b := make([]byte, recordSize)
	binary.BigEndian.PutUint64(b, r.fence)
	binary.BigEndian.PutUint16(b[8:], uint16(len(r.who)))
	binary.BigEndian.PutUint16(b[10:], uint16(len(r.value)))
	copy(b[whoAt:], r.who)
	copy(b[valueAt:], r.value)
	if _, err := f.rw.WriteAt(b, headerSize+int64(place)*recordSize); err != nil {
		return fmt.Errorf("cannot note who has place %d: %w", place, err)
	}
	return nil
}
