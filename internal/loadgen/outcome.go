package loadgen

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// Outcome is what became of one request.
type Outcome uint8

const (
	OK      Outcome = iota // a complete response with status 2xx or 3xx
	Refused                // ECONNREFUSED: nobody listened
	Reset                  // ECONNRESET or EPIPE before the response was complete
	Short                  // EOF before the response was complete
	Late                   // no complete response within Config.Timeout
	Status                 // a complete response with status 4xx or 5xx
	Reused                 // a kept connection ended before the first byte of this response: see below
	Other                  // anything else, a malformed response or no free local port among it
	Aborted                // the context ended while the request was under way: proves nothing
	Missed                 // open loop: due while every client was busy and the backlog full

	outcomes
)

// Reused is kept apart from the failures. RFC 9112, section 9.3.1 lets a server
// close an idle connection at any time, so that a request may always meet a
// close on its way; clients are expected to retry it. It is the one loss that no
// supervisor can rule out.

var outcomeNames = [outcomes]string{
	"ok", "refused", "reset", "short", "late", "status", "reused", "other", "aborted", "missed",
}

func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "unknown"
}

// Failed tells whether a client would call it a failure of the service.
func (o Outcome) Failed() bool {
	switch o {
	case Refused, Reset, Short, Late, Status, Other:
		return true
	case OK, Reused, Aborted, Missed, outcomes:
	}
	return false
}

// classify names the error of a dial, write or read.
func classify(err error) Outcome {
	var timeout net.Error
	switch {
	case err == nil:
		return OK
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return Reset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Short
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return Late
	case errors.As(err, &timeout) && timeout.Timeout():
		return Late
	}
	return Other
}

// ended tells whether an outcome is that of a connection the other side gave up.
func (o Outcome) ended() bool { return o == Reset || o == Short }
