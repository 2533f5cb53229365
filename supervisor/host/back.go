package host

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/broodctl/brood/internal/handover"
	"github.com/broodctl/brood/worker"
)

var errGivenBack = errors.New("the program before cannot go on either")

// GiveBack is Host.GiveBack for an error that comes before New, such as a mistake in a configuration. After New it only
// returns the error. caught is what CatchSignals has returned.
func GiveBack(err error, caught chan os.Signal) error {
	h := &Host{signals: caught}
	h.doc, h.file, h.failed, _ = inherit() // that has its own words about what cannot be read
	return h.GiveBack(err)
}

// GiveBack has the program before go on that this one has replaced, because of an error that keeps this one from it. It
// returns the error if there was no program before, or if it is too late: after Run has been called.
//
// It must be called on the main thread, before anything is closed.
func (h *Host) GiveBack(err error) error {
	if h.file < 0 {
		return err
	}
	file := h.file
	h.file = -1
	if h.doc == nil || h.doc.Back < 0 || h.failed != "" { // there is nobody who has not failed
		return err
	}
	spawner := h.spawner
	if spawner == nil {
		var failed error
		if spawner, failed = worker.NewSpawner(worker.Options{Poller: h.poller}); failed != nil {
			return fmt.Errorf("%w; %w: %w", err, errGivenBack, failed)
		}
	}
	inherit := append(slices.Clone(h.doc.Inherited), file)
	back := spawner.Replace(worker.Replacement{
		Path: "/proc/self/fd/" + strconv.Itoa(h.doc.Back), Argv: os.Args,
		Env:     append(environ(), envState+"="+strconv.Itoa(file), envFailed+"="+reason(err), envCaught+"="+taken(h.signals)),
		Inherit: inherit,
	})
	return fmt.Errorf("%w; %w: %w", err, errGivenBack, back)
}

// longestReason keeps the words far below what fits into a variable; see execve(2).
const longestReason = 4096

// reason is an error as a variable can have it.
func reason(err error) string {
	text := strings.ReplaceAll(err.Error(), "\x00", "")
	return text[:min(len(text), longestReason)]
}

// taken are the numbers of the signals that wait: the program before is to obey them.
func taken(signals chan os.Signal) string {
	var all []string
	for {
		select {
		case sig := <-signals:
			if n, ok := sig.(syscall.Signal); ok {
				all = append(all, strconv.Itoa(int(n)))
			}
			continue
		default:
		}
		return strings.Join(all, ",")
	}
}

// signalsOf reads what taken has written.
func signalsOf(text string) []syscall.Signal {
	var all []syscall.Signal
	for word := range strings.SplitSeq(text, ",") {
		if n, err := strconv.Atoi(word); err == nil {
			all = append(all, syscall.Signal(n))
		}
	}
	return all
}

// settle makes what was taken over ours for good: there is no way back from here.
func (h *Host) settle() {
	if h.doc == nil {
		return
	}
	h.rouse()
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
