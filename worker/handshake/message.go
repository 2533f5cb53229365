package handshake

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// MaxMessage is the largest datagram, in bytes, that a supervisor reads.
const MaxMessage = 4096

// ErrMalformed is in the chain of every error that Parse returns.
var ErrMalformed = errors.New("malformed message")

// Message is one datagram of sd_notify(3). Zero fields were not in it.
//
//	READY=1                  Ready
//	RELOADING=1              Reloading
//	STOPPING=1               Stopping
//	WATCHDOG=1               Watchdog
//	WATCHDOG=trigger         WatchdogTrigger: treat me as if I had missed the watchdog
//	STATUS=text              Status, one line
//	MONOTONIC_USEC=n         MonotonicUsec, of CLOCK_MONOTONIC
//	MAINPID=n                MainPID
//	ERRNO=n                  Errno
//	EXTEND_TIMEOUT_USEC=n    ExtendTimeout
//	BROOD_RELOAD=1           HandlesReload
//	BROOD_REQUESTS=n         Requests, a running total; nil if not said, because 0 can be
//	any other KEY=value      Unknown, verbatim
type Message struct {
	Ready, Reloading, Stopping, Watchdog bool

	WatchdogTrigger bool
	Status          string
	MonotonicUsec   uint64
	MainPID         int
	Errno           int
	ExtendTimeout   time.Duration
	HandlesReload   bool
	Requests        *uint64

	Unknown []string
}

// Parse reads a datagram: KEY=value lines separated by newlines; empty lines are
// skipped. A repeated key counts as its last value, as systemd has it.
// All errors wrap ErrMalformed; nothing of a malformed datagram is used.
func Parse(datagram []byte) (Message, error) {
	if len(datagram) > MaxMessage {
		return Message{}, fmt.Errorf("cannot parse message of %d bytes (limit %d): %w", len(datagram), MaxMessage, ErrMalformed)
	}
	var m Message
	lines := 0
	for line := range strings.SplitSeq(string(datagram), "\n") {
		if line == "" {
			continue
		}
		lines++
		if err := m.set(line); err != nil {
			return Message{}, fmt.Errorf("cannot parse message line %q: %w", line, err)
		}
	}
	if lines == 0 {
		return Message{}, fmt.Errorf("cannot parse empty message: %w", ErrMalformed)
	}
	return m, nil
}

func (m *Message) set(line string) error {
	key, value, found := strings.Cut(line, "=")
	if !found || !validKey(key) || !validValue(value) {
		return ErrMalformed
	}
	var err error
	switch key {
	case "READY":
		m.Ready, err = parseOne(value)
	case "RELOADING":
		m.Reloading, err = parseOne(value)
	case "STOPPING":
		m.Stopping, err = parseOne(value)
	case "WATCHDOG":
		m.WatchdogTrigger = value == "trigger"
		m.Watchdog = !m.WatchdogTrigger
		if m.Watchdog {
			_, err = parseOne(value)
		}
	case KeyHandlesReload:
		m.HandlesReload, err = parseOne(value)
	case KeyRequests:
		var n uint64
		n, err = parseNumber(value, math.MaxUint64)
		m.Requests = &n
	case "STATUS":
		// It ends up in tables and JSON, where broken UTF-8 would do harm.
		m.Status = strings.ToValidUTF8(value, "\uFFFD")
	case "MONOTONIC_USEC":
		m.MonotonicUsec, err = parseNumber(value, math.MaxUint64)
	case "MAINPID":
		m.MainPID, err = parseInt(value)
		if err == nil && m.MainPID == 0 {
			return ErrMalformed
		}
	case "ERRNO":
		m.Errno, err = parseInt(value)
	case "EXTEND_TIMEOUT_USEC":
		var usec uint64
		usec, err = parseNumber(value, math.MaxInt64/uint64(time.Microsecond))
		m.ExtendTimeout = time.Duration(usec) * time.Microsecond
	default:
		m.Unknown = append(m.Unknown, line)
	}
	return err
}

// Format writes m as a datagram that Parse reads back. An empty message is an
// empty datagram. Newlines in Status and Unknown would start new keys, so they
// become spaces.
func (m Message) Format() []byte {
	var lines []string
	flag := func(key string, isSet bool) {
		if isSet {
			lines = append(lines, key+"=1")
		}
	}
	number := func(key string, n uint64) {
		if n != 0 {
			lines = append(lines, key+"="+strconv.FormatUint(n, 10))
		}
	}
	flag("READY", m.Ready)
	flag("RELOADING", m.Reloading)
	flag("STOPPING", m.Stopping)
	flag("WATCHDOG", m.Watchdog && !m.WatchdogTrigger)
	if m.WatchdogTrigger {
		lines = append(lines, "WATCHDOG=trigger")
	}
	flag(KeyHandlesReload, m.HandlesReload)
	if m.Requests != nil {
		lines = append(lines, KeyRequests+"="+strconv.FormatUint(*m.Requests, 10))
	}
	number("MONOTONIC_USEC", m.MonotonicUsec)
	number("MAINPID", uint64(max(m.MainPID, 0)))
	number("ERRNO", uint64(max(m.Errno, 0)))
	number("EXTEND_TIMEOUT_USEC", uint64(max(m.ExtendTimeout/time.Microsecond, 0)))
	if m.Status != "" {
		lines = append(lines, "STATUS="+oneLine(m.Status))
	}
	for _, line := range m.Unknown {
		lines = append(lines, oneLine(line))
	}
	return []byte(strings.Join(lines, "\n"))
}

// oneLine works on bytes: a value need not be valid UTF-8.
func oneLine(s string) string {
	return strings.NewReplacer("\n", " ", "\x00", " ").Replace(s)
}

// parseOne accepts 1 alone: every flag of the protocol is said by presence.
func parseOne(value string) (bool, error) {
	if value != "1" {
		return false, ErrMalformed
	}
	return true, nil
}

func parseInt(value string) (int, error) {
	n, err := parseNumber(value, math.MaxInt32)
	return int(n), err
}

// parseNumber is decimal digits alone: base 10 makes strconv refuse signs and underscores.
func parseNumber(value string, limit uint64) (uint64, error) {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil || n > limit {
		return 0, ErrMalformed
	}
	return n, nil
}

// validKey: as environment names, which the keys of sd_notify(3) resemble.
func validKey(key string) bool {
	if key == "" || key[0] >= '0' && key[0] <= '9' {
		return false
	}
	for i := range len(key) {
		c := key[i]
		if c != '_' && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// validValue refuses NUL, which no C program could have meant.
func validValue(value string) bool { return strings.IndexByte(value, 0) < 0 }
