package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
)

// Dial makes a connection that reaches one worker and no other, or fails at the latest with its context.
type Dial func(ctx context.Context) (net.Conn, error)

// World is one worker, as a probe sees it.
type World struct {
	// Dial reaches the worker on its listener. Without it only probes with an address of their own can connect.
	Dial Dial
	// Run runs a shell command to its end, which comes at the latest with the context, and returns nil if its status
	// was 0. One process must have one reaper, so it goes through the supervisor's spawner. Without it exec fails.
	Run func(ctx context.Context, command string) error
	// Turn waits until an attempt may begin, where there can be one at a time, and returns what ends it; ok is false if the
	// context ended first. The wait is no part of the attempt. Nil lets each begin at once.
	Turn func(ctx context.Context) (end func(), ok bool)
	// Delay is added to Config.InitialDelay; see Spread.
	Delay time.Duration
}

var (
	errNotRun   = errors.New("a probe of this kind is not run: the worker reports by itself")
	errNoRunner = errors.New("no commands can be run here")
	errClosed   = errors.New("connection closed without a complete answer")
)

// Once asks once, when it is its turn, and returns nil if the answer is that the worker works. The error says in one line
// what was seen; it wraps context.DeadlineExceeded after the timeout, and the cause of ctx if that ended first.
func (c Config) Once(ctx context.Context, w World) error {
	c = c.WithDefaults()
	if w.Turn != nil {
		end, ok := w.Turn(ctx)
		if !ok {
			return ended(ctx)
		}
		defer end()
	}
	try, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	err := c.attempt(try, w)
	switch {
	case ctx.Err() != nil:
		return ended(ctx)
	case try.Err() == nil:
		return err
	}
	if l, ok := errors.AsType[*late](err); ok {
		return l
	}
	what := "no answer"
	if c.Kind == Exec {
		what = "check did not end"
	}
	return &late{what: what, within: c.Timeout}
}

func ended(ctx context.Context) error { return fmt.Errorf("probe was ended: %w", context.Cause(ctx)) }

func (c Config) attempt(ctx context.Context, w World) error {
	switch c.Kind {
	case HTTP:
		return c.get(ctx, w)
	case GRPC:
		return c.checkHealth(ctx, w)
	case TCP, Unix:
		conn, err := c.dial(ctx, w)
		if err != nil {
			return err
		}
		_ = conn.Close() // it was there
		return nil
	case Exec:
		if w.Run == nil {
			return errNoRunner
		}
		return oneLine(w.Run(ctx, c.Command))
	case Notify:
		return errNotRun
	}
	return errKind
}

// late is what had not been seen when the timeout was over.
type late struct {
	what   string
	within time.Duration
}

func (l *late) Error() string { return l.what + " within " + l.within.String() }

func (l *late) Unwrap() error { return context.DeadlineExceeded }

// cause finds the shortest error that still says what happened: those of package net repeat the address.
func cause(err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errClosed
	}
	return oneLine(err)
}

// maxExcerpt is how many bytes of what a worker or a command said are repeated in an error.
const maxExcerpt = 120

// excerpt is the beginning of a text, in one line.
func excerpt(text string) string {
	cut := len(text) > maxExcerpt
	if cut {
		text = text[:maxExcerpt]
	}
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "\uFFFD")), " ")
	if cut {
		text += "..."
	}
	return text
}

// oneLine shortens an error that may hold the output of a command or the words of a worker.
func oneLine(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if short := excerpt(text); short != text {
		return &retold{short, err}
	}
	return err
}

// retold is an error in other words.
type retold struct {
	text string
	err  error
}

func (r *retold) Error() string { return r.text }

func (r *retold) Unwrap() error { return r.err }
