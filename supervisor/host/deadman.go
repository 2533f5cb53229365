package host

import (
	"errors"
	"io"
	"sync"

	"github.com/broodctl/brood/internal/deadman"
	"github.com/broodctl/brood/internal/poll"
	"github.com/broodctl/brood/supervisor"
)

// deadmanLine is a deadman.Line whose words come by the poller.
type deadmanLine struct {
	*deadman.Line
	poller *poll.Poller
	said   func(deadman.Message)

	mu      sync.Mutex
	listens bool // the poller waits for words
}

// openDeadman makes the way to a deadman that is to be started.
func (h *Host) openDeadman(said func(deadman.Message)) (supervisor.Deadman, error) {
	line, err := deadman.Open()
	if err != nil {
		return nil, err
	}
	return h.listen(line, said)
}

// adoptDeadman takes over that of the program before.
func (h *Host) adoptDeadman(fd int, said func(deadman.Message)) (supervisor.Deadman, error) {
	return h.listen(deadman.Adopt(fd), said)
}

func (h *Host) listen(line *deadman.Line, said func(deadman.Message)) (supervisor.Deadman, error) {
	l := &deadmanLine{Line: line, poller: h.poller, said: said, listens: true}
	if err := h.poller.Add(line.Ours(), l.hear); err != nil {
		line.Close()
		return nil, err
	}
	return l, nil
}

// hear passes on what was said. That nobody will say anything any more, the reaper tells.
func (l *deadmanLine) hear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.listens {
		m, err := l.Read()
		switch {
		case err == nil:
			l.said(m)
		case errors.Is(err, io.EOF):
			l.mute()
		default:
			return
		}
	}
}

func (l *deadmanLine) mute() {
	if l.listens {
		l.listens = false
		_ = l.poller.Remove(l.Ours()) // of a poller that is closed there is nothing to remove
	}
}

// Close lets go of the process, or of what is left of it.
func (l *deadmanLine) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mute()
	l.Line.Close()
}

// Dismiss ends it.
func (l *deadmanLine) Dismiss() {
	l.Bye()
	l.Close()
}
