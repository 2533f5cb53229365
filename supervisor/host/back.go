package host

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/broodctl/brood/internal/handover"
	"github.com/broodctl/brood/worker"
)

var errGivenBack = errors.New("the program before cannot go on either")

// GiveBack has the program before go on that this one has replaced, because of an error that keeps this one from it. It
// returns the error if there was no program before, or if it is too late: after Run has been called.
//
// It must be called on the main thread, before anything is closed.
func (h *Host) GiveBack(err error) error { return h.giveBack(err) }

func (h *Host) giveBack(err error) error {
	if h.file < 0 {
		return err
	}
	file := h.file
	h.file = -1
	if h.doc == nil || h.doc.Back < 0 {
		return err
	}
	spawner := h.spawner
	if spawner == nil {
		var failed error
		if spawner, failed = worker.NewSpawner(worker.Options{Poller: h.poller}); failed != nil {
			return fmt.Errorf("%w; %w: %w", err, errGivenBack, failed)
		}
	}
	inherit := append(h.doc.descriptors(), file)
	back := spawner.Replace(worker.Replacement{
		Path: "/proc/self/fd/" + strconv.Itoa(h.doc.Back), Argv: os.Args,
		Env:     append(environ(), envState+"="+strconv.Itoa(file), envFailed+"="+err.Error()),
		Inherit: inherit,
	})
	return fmt.Errorf("%w; %w: %w", err, errGivenBack, back)
}

// settle makes what was taken over ours for good: there is no way back from here.
func (h *Host) settle() {
	if h.doc == nil {
		return
	}
	h.output.Settle()
	h.tmp.Settle()
	for _, p := range h.parts {
		p.part.Settle()
	}
	if h.groups != nil {
		h.groups.Settle()
	}
	for _, fd := range []int{h.file, h.doc.Back} {
		if fd >= 0 {
			handover.Close(fd)
		}
	}
	h.doc, h.file = nil, -1
}
