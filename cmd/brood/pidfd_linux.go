package main

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"github.com/broodctl/brood/internal/poll"
)

// processEnd waits for the end of a process that is not our child. A pidfd never means the next process of the number.
type processEnd struct {
	fd     int
	poller *poll.Poller
	ended  chan struct{}
}

// watchEnd takes a pidfd, and closes it in the end also when it fails.
func watchEnd(fd int) (*processEnd, error) {
	poller, err := poll.New()
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	e := &processEnd{fd: fd, poller: poller, ended: make(chan struct{})}
	err = poller.Add(fd, func() {
		_ = poller.Remove(fd)
		close(e.ended)
	})
	if err != nil {
		_ = e.Close()
		return nil, err
	}
	return e, nil
}

// Wait returns nil when the process has ended.
func (e *processEnd) Wait(ctx context.Context) error {
	select {
	case <-e.ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close gives up watching.
func (e *processEnd) Close() error {
	return errors.Join(e.poller.Close(), unix.Close(e.fd))
}
