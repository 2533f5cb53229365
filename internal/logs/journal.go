package logs

import (
	"encoding/binary"
	"strconv"
	"time"
)

const (
	// JournalSocket is where systemd-journald(8) takes records, see
	// https://systemd.io/JOURNAL_NATIVE_PROTOCOL.
	JournalSocket = "/run/systemd/journal/socket"
	// retryJournal is how often a journald that is gone is looked for: a restart takes less than a second.
	retryJournal = 200 * time.Millisecond
)

// The priorities of syslog(3) that lines have unless they say another one.
const (
	priorityStdout = '6' // informational
	priorityStderr = '4' // warning
)

// journald sends records. In the queue each has its length in front, in four bytes.
type journald struct {
	path string
	fd   int // -1 if it is not connected
	wake int
}

func newJournald(path string) *journald { return &journald{path: path, fd: -1, wake: newWake()} }

func (o *journald) tend() error          { return nil }
func (o *journald) pause() time.Duration { return retryJournal }
func (o *journald) giveUp()              { wakeUp(o.wake) }
func (o *journald) goOn()                { calmDown(o.wake) }

func (o *journald) close() {
	closeFD(o.fd)
	closeFD(o.wake)
	o.fd, o.wake = -1, -1
}

func (o *journald) lines(b []byte) (n int) {
	for len(b) > 0 {
		b = b[recordHead+binary.LittleEndian.Uint32(b):]
		n++
	}
	return n
}

// write sends all, or up to what does not go.
func (o *journald) write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		if o.fd < 0 {
			fd, err := dialJournal(o.path)
			if err != nil {
				return done, err
			}
			o.fd = fd
		}
		size := int(binary.LittleEndian.Uint32(b[done:]))
		err := sendRecord(o.fd, o.wake, b[done+recordHead:done+recordHead+size])
		if err != nil {
			closeFD(o.fd)
			o.fd = -1
			return done, err
		}
		done += recordHead + size
	}
	return done, nil
}

const recordHead = 4

// journalFields are those that all records of a stream have.
func journalFields(of Worker, stream standard) []byte {
	b := []byte("SYSLOG_IDENTIFIER=" + of.Label() + "\nBROOD_POOL=" + of.Pool + "\nBROOD_STREAM=" + stream.String() + "\n")
	if of.Slot != NoSlot {
		b = strconv.AppendInt(append(b, "BROOD_SLOT="...), int64(of.Slot), 10)
		b = strconv.AppendInt(append(b, "\nBROOD_WORKER_ID="...), int64(of.ID), 10)
		b = append(b, '\n')
	}
	return b
}

// appendRecord appends a line as a record.
func appendRecord(dst, fields []byte, pid int, stream standard, line []byte) []byte {
	head := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = append(dst, fields...)
	if pid > 0 {
		dst = append(strconv.AppendInt(append(dst, "SYSLOG_PID="...), int64(pid), 10), '\n')
	}
	priority, line := priorityOf(line, stream)
	dst = append(append(dst, "PRIORITY="...), priority)
	dst = append(append(dst, "\nMESSAGE="...), line...)
	dst = append(dst, '\n')
	binary.LittleEndian.PutUint32(dst[head:], uint32(len(dst)-head-recordHead))
	return dst
}

// priorityOf reads a prefix such as <3>, see sd-daemon(3).
func priorityOf(line []byte, stream standard) (byte, []byte) {
	if len(line) >= 3 && line[0] == '<' && line[2] == '>' && line[1] >= '0' && line[1] <= '7' {
		return line[1], line[3:]
	}
	if stream == stderr {
		return priorityStderr, line
	}
	return priorityStdout, line
}
