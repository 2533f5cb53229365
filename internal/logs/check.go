package logs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// widest is what no label reaches.
const widest = 1 << 10

var (
	errSize    = errors.New("it does not fit")
	errTwice   = errors.New("it is there twice")
	errUnknown = errors.New("it is not known")
	errRecords = errors.New("it has no records")
	errEnd     = errors.New("it does not end with a line")
)

// Check finds what cannot be restored. It looks at no descriptor.
func (h *Handed) Check() error {
	if h.LastHandle < 0 || h.Width < 0 || h.Width > widest {
		return fmt.Errorf("cannot take last handle %d, width %d: %w", h.LastHandle, h.Width, errSize)
	}
	c := checker{h: h, slots: map[place]bool{}, handles: map[int]bool{}, fds: map[int]bool{}, queues: map[string]bool{}}
	for i := range h.Slots {
		s := &h.Slots[i]
		if err := c.slot(s); err != nil {
			return fmt.Errorf("cannot take slot %d of %q: %w", s.Slot, s.Pool, err)
		}
	}
	for i := range h.Streams {
		s := &h.Streams[i]
		if err := c.stream(s); err != nil {
			return fmt.Errorf("cannot take stream %d of %q, slot %d: %w", s.Kept.Handle, s.Pool, s.Slot, err)
		}
	}
	for i := range h.Queues {
		if err := c.queue(&h.Queues[i]); err != nil {
			return fmt.Errorf("cannot take queue of %q: %w", h.Queues[i].To, err)
		}
	}
	return nil
}

// checker knows what was there already.
type checker struct {
	h       *Handed
	slots   map[place]bool
	handles map[int]bool
	fds     map[int]bool
	queues  map[string]bool
}

// once notes what may be there once.
func once[K comparable](seen map[K]bool, k K) error {
	if seen[k] {
		return errTwice
	}
	seen[k] = true
	return nil
}

func (c *checker) slot(s *HandedSlot) error {
	if s.Slot < NoSlot {
		return errSize
	}
	for i := range s.Past {
		if err := c.kept(&s.Past[i]); err != nil {
			return err
		}
	}
	return once(c.slots, place{s.Pool, s.Slot})
}

func (c *checker) stream(s *HandedStream) error {
	if s.Slot < NoSlot || s.Kept.Handle <= 0 || s.Kept.Handle > c.h.LastHandle {
		return errSize
	}
	if s.Settings.Mode == Inherit || s.Settings.Mode == File && (s.Settings.File.Stdout == "" || s.Settings.File.Stderr == "") {
		return errUnknown
	}
	return errors.Join(once(c.handles, s.Kept.Handle), c.kept(&s.Kept), c.lane(&s.Stdout), c.lane(&s.Stderr))
}

func (c *checker) lane(l *HandedLane) error {
	if l.Raw > uint8(skipping) {
		return errUnknown
	}
	return errors.Join(c.piece(l.Partial, maxLine), c.piece(l.Tail, tailSize), c.fd(l.FD))
}

// fd looks whether a number is one of a descriptor that may be ours: the first three are not.
func (c *checker) fd(fd int) error {
	switch {
	case fd == -1:
		return nil
	case fd < 3 || fd > math.MaxInt32:
		return fmt.Errorf("cannot take descriptor %d: %w", fd, errSize)
	}
	if err := once(c.fds, fd); err != nil {
		return fmt.Errorf("cannot take descriptor %d: %w", fd, err)
	}
	return nil
}

func (c *checker) piece(p Piece, most int) error {
	if p.At < 0 || p.Size < 0 || p.Size > most || p.At > len(c.h.Blob) || p.Size > len(c.h.Blob)-p.At {
		return fmt.Errorf("cannot take %d bytes at %d of %d: %w", p.Size, p.At, len(c.h.Blob), errSize)
	}
	return nil
}

// kept looks through all records: who reads them believes what they say.
func (c *checker) kept(k *HandedKept) error {
	if err := c.piece(k.Records, keepSize); err != nil {
		return err
	}
	if k.Start > math.MaxInt64 || k.Before > math.MaxInt64 || k.Total > math.MaxInt64 {
		return errSize
	}
	newlines := k.Before
	for b := c.h.bytes(k.Records); len(b) > 0; {
		if len(b) <= headSize {
			return errRecords
		}
		n := uint64(binary.LittleEndian.Uint32(b[8:]))
		if n == 0 || n > uint64(len(b)-headSize) || b[16] > flagStderr|flagMidline {
			return errRecords
		}
		found := bytes.Count(b[headSize:headSize+n], newline)
		if uint64(binary.LittleEndian.Uint32(b[12:])) != uint64(found) {
			return errRecords
		}
		newlines += uint64(found)
		b = b[headSize+n:]
	}
	if newlines != k.Total {
		return errRecords
	}
	return nil
}

func (c *checker) queue(q *HandedQueue) error {
	if err := c.piece(q.Bytes, math.MaxInt); err != nil {
		return err
	}
	to := q.To
	switch {
	case q.To == toFile && q.File != nil && q.File.Path != "":
		if err := c.fd(q.File.FD); err != nil {
			return err
		}
		to += q.File.Path
	case q.To != toStdout && q.To != toStderr && q.To != toJournald:
		return errUnknown
	}
	return errors.Join(once(c.queues, to), c.shares(q))
}

// shares looks through what is queued, for those whose outlet would trip.
func (c *checker) shares(q *HandedQueue) error {
	rest := c.h.bytes(q.Bytes)
	for _, s := range q.Shares {
		if s.Slot < ownLog || s.Slot >= len(c.h.Slots) || s.Size <= 0 || s.Size > len(rest) {
			return errSize
		}
		part := rest[:s.Size]
		switch {
		case q.To == toFile && part[len(part)-1] != '\n':
			return errEnd
		case q.To == toJournald && !areRecords(part):
			return errRecords
		}
		rest = rest[s.Size:]
	}
	if len(rest) > 0 {
		return errSize
	}
	return nil
}

// areRecords says whether these are for journald.
func areRecords(b []byte) bool {
	for len(b) > 0 {
		if len(b) < recordHead {
			return false
		}
		n := uint64(binary.LittleEndian.Uint32(b))
		if n > uint64(len(b)-recordHead) {
			return false
		}
		b = b[recordHead+n:]
	}
	return true
}
